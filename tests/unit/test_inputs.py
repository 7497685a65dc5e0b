import pytest

from neuromorph.errors import DescriptionError
from neuromorph.inputs import Input, Modulator


@pytest.mark.parametrize("kind", [Input, Modulator])
@pytest.mark.parametrize("name", ["", " a", "a.b", "a\n", 3, None])
def test_names_that_addresses_cannot_hold_are_refused(kind: type, name: object) -> None:
    with pytest.raises(DescriptionError, match="name"):
        kind(name, 1)


@pytest.mark.parametrize("kind", [Input, Modulator])
@pytest.mark.parametrize("size", [0, -1, 2.0, True, "3"])
def test_sizes_are_whole_and_positive(kind: type, size: object) -> None:
    with pytest.raises(DescriptionError, match="size must be a whole number >= 1, got"):
        kind("a", size)


def test_name_and_size_are_reported_together() -> None:
    with pytest.raises(DescriptionError) as caught:
        Input("", 0)
    assert len(caught.value.faults) == 2


def test_names_may_hold_arrows_spaces_and_greek() -> None:
    assert Input("a->β 2", 3).name == "a->β 2"
