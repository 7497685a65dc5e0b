import pickle

import pytest

from neuromorph import errors
from neuromorph.errors import DescriptionError, FaultList, InputError, NeuromorphError, raise_faults

LISTS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FaultList)]
OTHERS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, NeuromorphError) and not issubclass(kind, FaultList)
]


def test_one_fault_reads_as_a_sentence_and_several_as_a_numbered_list() -> None:
    assert str(InputError("a is wrong")) == "a is wrong"
    assert str(InputError(["a is wrong", "b is wrong"])) == "2 faults:\n  1. a is wrong\n  2. b is wrong"


def test_no_fault_raises_nothing() -> None:
    raise_faults(InputError, [])


def test_all_faults_are_raised_together_and_kept() -> None:
    with pytest.raises(DescriptionError) as caught:
        raise_faults(DescriptionError, (text for text in ("a", "b")))
    assert caught.value.faults == ("a", "b")


@pytest.mark.parametrize("kind", LISTS)
def test_fault_lists_survive_pickling_and_are_value_errors(kind: type[FaultList]) -> None:
    error = kind(["a", "b"])
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and again.faults == error.faults and str(again) == str(error)
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("kind", OTHERS)
def test_other_errors_survive_pickling(kind: type[NeuromorphError]) -> None:
    assert str(pickle.loads(pickle.dumps(kind("why")))) == "why"
