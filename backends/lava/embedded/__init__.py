"""A whole program as one Lava Process; alone in its folder, since Lava runs every file beside a Process to find models."""
