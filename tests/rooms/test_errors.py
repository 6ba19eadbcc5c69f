"""A user's error is one sentence with all it takes to mend it."""

import pytest

from molmed.errors import ArtefactError, ConfigError, InputError, MolmedError, UnknownNameError, nearest


def test_the_sentence_holds_what_was_asked_what_came_what_is_accepted_and_the_remedy() -> None:
    error = InputError(
        "reading column 'pIC50' of a.csv", "columns smiles, pAct", "a numeric column", "pass --target pAct"
    )
    assert str(error) == (
        "reading column 'pIC50' of a.csv: found columns smiles, pAct; accepted: a numeric column; pass --target pAct."
    )


def test_parts_that_are_not_known_leave_no_trace() -> None:
    assert str(InputError("reading a.csv", "no such file")) == "reading a.csv: found no such file."


def test_the_parts_can_be_read_back() -> None:
    error = InputError("a", "b", "c", "d")
    assert (error.asked, error.came, error.accepted, error.remedy) == ("a", "b", "c", "d")


@pytest.mark.parametrize("kind", [ConfigError, ArtefactError])
def test_every_error_of_a_user_is_caught_as_one_family(kind: type[InputError]) -> None:
    with pytest.raises(InputError) as caught:
        raise kind("a", "b")
    assert isinstance(caught.value, MolmedError)


def test_an_unknown_name_is_answered_with_the_nearest_and_all_known_ones() -> None:
    text = str(UnknownNameError("choosing an encoder", "dmpn", ["gru", "dmpnn", "gin"]))
    assert text.startswith("choosing an encoder: found 'dmpn'; accepted: dmpnn, gin, gru; did you mean 'dmpnn'?")


def test_a_name_like_no_other_gets_the_list_only() -> None:
    text = str(UnknownNameError("choosing an encoder", "qqqq", ["gru", "dmpnn"]))
    assert "did you mean" not in text
    assert "dmpnn, gru" in text


def test_nearest_ignores_case_and_keeps_the_known_spelling() -> None:
    assert nearest("morgancount", ["Morgan_Count", "tokens"]) == ["Morgan_Count"]


def test_nearest_is_best_first_and_at_most_n() -> None:
    known = ["scaffold", "scaffolds_old", "random"]
    assert nearest("scaffold", known) == ["scaffold", "scaffolds_old"]
    assert nearest("scaffold", known, n=1) == ["scaffold"]
