import pytest
from pydantic import ValidationError

from harness.checks.image.labels import ImageLabels, LabelEvidence
from harness.checks.image.settings import ImageLimits, ImageSettings
from harness.model import Outcome

LIMITS = ImageLimits(labels={"model.version": "${model.version}", "source": "", "licence": "MIT"})
GOOD = {"model.version": "1.2.0", "source": "https://example.test/x", "licence": "MIT"}


def judged(labels=GOOD, *, version="1.2.0"):
    served = {} if version is None else {"model.version": version}
    evidence = LabelEvidence(expected=1, executed=1, labels=labels, served=served)
    return {
        finding.id.removeprefix("image.labels."): finding
        for finding in ImageLabels().judge(
            LabelEvidence.model_validate_json(evidence.model_dump_json()), LIMITS
        )
    }


def failed(findings):
    return {name for name, finding in findings.items() if finding.outcome is not Outcome.PASS}


def test_good_labels_pass_and_others_may_stand_beside():
    findings = judged({**GOOD, "another": "of whatever content"})
    assert findings.keys() == LIMITS.labels.keys()
    assert failed(findings) == set()


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"labels": {**GOOD, "model.version": "1.1.0"}}, {"model.version"}),
        ({"version": "1.3.0"}, {"model.version"}),
        ({"version": None}, {"model.version"}),
        ({"labels": {**GOOD, "source": ""}}, {"source"}),
        ({"labels": {**GOOD, "licence": "MIT-0"}}, {"licence"}),
        ({"labels": {}}, set(GOOD)),
    ],
)
def test_each_fault_fails_its_own_finding(changes, wrong):
    assert failed(judged(**changes)) == wrong


def test_without_a_wanted_label_there_is_nothing_to_check():
    assert not ImageLabels().applies(ImageSettings())
    assert ImageLabels().applies(ImageSettings(limits=LIMITS))


def test_an_unknown_placeholder_of_a_label_is_refused():
    with pytest.raises(ValidationError, match=r"model\.version"):
        ImageLimits(labels={"x": "${model.verison}"})
