"""What a scorecard looks like to a reader: terminal tables, Markdown, figures and one self-contained HTML page.

Importing this package imports nothing else; ``neuromorph.report.tables`` needs rich, ``neuromorph.report.page`` needs
matplotlib and jinja2 once a page is asked for.
"""
