from tunesmith.importers.python.proposal import Proposal


def test_a_single_value() -> None:
    proposal = Proposal(name="x", definition=[1, 2], values=((1, 1), (2, 2)), notes=("a note",))
    assert (proposal.fixed(2).definition, proposal.fixed(2).notes) == ([2], ())
    assert proposal.definition == [1, 2]
