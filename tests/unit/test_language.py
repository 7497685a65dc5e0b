import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromorph.errors import RuleError
from neuromorph.plasticity.language import DEPENDENCIES, VARIABLES, Factor, Product, SumOfProducts, parse

finite = st.floats(allow_nan=False, allow_infinity=False)
functions = st.sampled_from([{}, {"sign": True}, {"positive": True}])
factors = st.builds(
    lambda variable, constant, function: Factor(variable, constant, **function),
    st.sampled_from(VARIABLES),
    finite,
    functions,
)
products = st.builds(Product, finite, st.sampled_from(DEPENDENCIES), st.lists(factors, max_size=4).map(tuple))
sums = st.lists(products, min_size=1, max_size=4).map(lambda items: SumOfProducts(tuple(items)))


@settings(deadline=None, derandomize=True, max_examples=300)
@given(sums)
def test_what_is_printed_reads_back_as_the_same_sum(total: SumOfProducts) -> None:
    assert parse(str(total)) == total
    assert str(parse(str(total))) == str(total)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.text(alphabet="x0y12wtdru sgnpo()*+-^/.e9α\n", max_size=20))
def test_any_text_is_read_or_refused_with_a_rule_error(text: str) -> None:
    try:
        parse(text)
    except RuleError as error:
        message = str(error)
    else:
        message = "it means something"
    assert message


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2^-2 * x1 * y0", "0.25 * x1 * y0"),
        ("2**3*x0", "8*x0"),
        ("-x0", "-1.0 * x0"),
        ("+x0 - y0", "x0 - 1*y0"),
        ("x0 * (-w)", "-1 * x0 * w"),
        ("x0*(5 - w)", "-1 * x0 * (w - 5)"),
        ("x0*(w + 1 - 3)", "x0 * (w - 2)"),
        ("x0*sgn(1 - w)", "-1 * x0 * sgn(w - 1)"),
        ("x0*(2)*3", "6*x0"),
        ("y0*x1", "x1*y0"),
        ("x0*w*w", "w * x0 * w"),
        ("1e-2*x0", "0.01*x0"),
        (".5*x0", "0.5*x0"),
        ("u3*w", "w*u3"),
        ("x0 * (w)", "x0*w"),
        ("-2^2*x0", "-4*x0"),
        ("(-2)*x0", "-2*x0"),
        ("x0*w^2", "x0*w*w"),
        ("x0*(w - 1)**2", "x0*(w - 1)*(w - 1)"),
        ("x0*y1/2", "0.5*x0*y1"),
        ("x0*(x1 + y1)", "x0*x1 + x0*y1"),
        ("(x1 - y1)*y0*(1 - w)", "-1*x1*y0*(w - 1) + y1*y0*(w - 1)"),
        ("2*(x0*y1 - y0*x1)", "2*x0*y1 - 2*y0*x1"),
        ("(x1*y0 - y1*x0)*(r - 0.5)", "x1*y0*(r - 0.5) - y1*x0*(r - 0.5)"),
        ("x0*(w*2)", "2*x0*w"),
        ("x0*(2*w - 1)", "2*x0*(w - 0.5)"),
        ("x0*((w - 1) - y1)", "x0*w - x0 - x0*y1"),
        ("x0*pos(2*y1 - 1)", "2*x0*pos(y1 - 0.5)"),
        ("x0*sgn(2*(w - 1))", "x0*sgn(w - 1)"),
        ("-(x0 - y0)", "-x0 + y0"),
        ("x0 * -w", "-1 * x0 * w"),
        ("x1*y0 - -0.5*y1*x0", "x1*y0 + 0.5*y1*x0"),
        ("x1*y0 + -0.5*y1*x0", "x1*y0 - 0.5*y1*x0"),
        ("x0*pos(y1 - -0.7)", "x0*pos(y1 + 0.7)"),
        ("x0 * -w^2", "-1 * x0 * w * w"),
        ("2^(-2) * x0", "0.25 * x0"),
    ],
)
def test_forms_that_mean_the_same_are_the_same(text: str, same: str) -> None:
    assert parse(text) == parse(same)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a target must be text"),
        ("x1*y1", "has no dependency: multiply by x0, y0 or u0 to u9"),
        ("x0*y0*w", "has 2 dependencies (x0, y0): only one is allowed"),
        ("x0*z", "there is no variable 'z'; known: x0 y0 u0..u9 x1 x2"),
        ("x0*X1", "there is no variable 'X1'"),
        ("u10*w", "there is no variable 'u10'"),
        ("x0*y4", "there is no variable 'y4'"),
        ("x0*w^-1", "powers of variables are whole, 1 to 64, got -1.0 (at character 5)"),
        ("x0*w^1.5", "powers of variables are whole, 1 to 64, got 1.5"),
        ("x0/w", "division is by numbers only: there is no 1 / variable in a rule (at character 3)"),
        ("x0/0", "division by zero"),
        ("(x0 + y0)*(x1 + x0)", "'x0 * x0', of '(x0 + y0)*(x1 + x0)' multiplied out, has 2 dependencies"),
        ("(x0 + w)*x1", "'w * x1', of '(x0 + w)*x1' multiplied out, has no dependency"),
        ("x0^2", "has 2 dependencies (x0, x0)"),
        ("x0*(x1 + y1 + w)^30", "multiplied out it has more than 1024 products"),
        ("x0*sgn(x1*y1)", "sgn(...) needs a variable, plus or minus a number"),
        ("x0*sgn(x1 - y1)", "sgn(...) needs a variable, plus or minus a number"),
        ("x0*pos(1 - w)", "pos(...) takes a variable that is added"),
        ("(" * 50 + "x0" + ")" * 50, "brackets lie more than 40 deep"),
        ("x0*(w", "expected ')' at its end"),
        ("x0*(w y1)", "expected '*', '+', '-' or ')', got 'y1'"),
        ("x0*sgn(3)", "sgn(...) needs a variable"),
        ("x0*sgn w", "expected '('"),
        ("x0 y1", "expected '*', '+' or '-', got 'y1'"),
        ("x0 +", "it ends where a number, a variable or a bracket is expected"),
        ("x0 * $", "'$' means nothing here (at character 6)"),
        ("0^-1*x0", "out of range"),
        ("10^400*x0", "out of range"),
        ("1e999*x0", "out of range"),
        ("1e200*1e200*x0", "out of range"),
        ("x0*(w + 1e308 + 1e308)", "out of range"),
        ("2^*x0", "expected a whole exponent"),
        ("2^(w)*x0", "an exponent is a number (at character 2)"),
        ("x0*(", "it ends where"),
    ],
)
def test_what_means_nothing_is_refused_with_the_place(text: str, says: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert says in str(caught.value)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(RuleError, match="a target must be text"):
        parse(3)  # type: ignore[arg-type]


def test_variables_and_dependencies_are_listed() -> None:
    total = parse("x1*y0 - sgn(w - 1)*t*u2")
    assert total.variables == {"x1", "w", "t"}
    assert total.dependencies == {"y0", "u2"}


exact_coefficients = st.builds(
    lambda mantissa, exponent: mantissa * 2.0**exponent, st.integers(-8, 7).filter(bool), st.integers(-7, 8)
)
exact_constants = st.one_of(st.integers(-500, 500).map(float), st.integers(-20, 20).map(lambda e: 2.0**e))
exact_factors = st.builds(
    lambda variable, constant, sign: Factor(variable, constant, sign=sign),
    st.sampled_from([name for name in VARIABLES if name != "r"]),
    exact_constants,
    st.booleans(),
)
exact_products = st.builds(
    Product, exact_coefficients, st.sampled_from(DEPENDENCIES), st.lists(exact_factors, max_size=3).map(tuple)
)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.lists(exact_products, min_size=1, max_size=4).map(lambda items: SumOfProducts(tuple(items))))
def test_loihis_notation_reads_back_as_the_same_sum(total: SumOfProducts) -> None:
    assert parse(total.to_loihi()) == total


def test_loihis_notation_holds_powers_of_two() -> None:
    assert parse("0.25*x1*y0 - 3*y1*x0*(w + 0.5) + sgn(w - 2)*u1").to_loihi() == (
        "2^-2 * x1 * y0 - 3 * 2^0 * y1 * (w + 2^-1) * x0 + 2^0 * sgn(w - 2) * u1"
    )


def test_what_loihis_notation_lacks_is_told_at_once() -> None:
    with pytest.raises(RuleError) as caught:
        parse("0.3*x1*y0 + r*u0 - pos(w)*x0 - (w - 1.5)*u0").to_loihi()
    said = str(caught.value)
    assert len(caught.value.faults) == 4
    assert "coefficient 0.3" in said and "has no r" in said and "has no pos(w)" in said and "(w - 1.5)" in said
