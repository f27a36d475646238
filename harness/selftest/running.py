"""A selftest from what the user asked for to the stored matrix."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.config.suite import Suite, load_suite
from harness.errors import InfrastructureError, UsageError
from harness.events import BuildProgress, Note
from harness.preparation import prepare
from harness.selftest.catalogue import chosen
from harness.selftest.document import FOLDER, SelftestDocument, document_of
from harness.selftest.matrix import matrix
from harness.selftest.model import AS_IT_SHOULD, Mode, Result, Trial
from harness.selftest.proxied import failing
from harness.selftest.publishing import publish
from harness.selftest.subject import Subject, of_catalogue, of_proxy
from harness.selftest.trial import Asked
from harness.selftest.trials import TrialStore, following, is_done, last_of_each
from harness.selftest.worker import Job
from harness.selftest.workers import run_all
from harness.targets.engine import INSTALL
from harness.targets.launch import URL


@dataclass(frozen=True, kw_only=True)
class SelftestRequest:
    """What the user asked for.

    Attributes:
        config: gate.toml of the suite that is tested.
        only: Names and families of entries; empty is all.
        jobs: Trials at once; while one measures a latency the others wait.
        out: Folder for reports.
        candidate: The healthy image, or a folder; None is the suite's own service.
        proxied: Whether a proxy injects the faults, instead of the suite's catalogue.
    """

    config: Path = Path("gate.toml")
    only: tuple[str, ...] = ()
    mode: Mode = Mode.QUICK
    jobs: int = 1
    out: Path = Path("reports")
    seed: int = 0
    candidate: str | None = None
    proxied: bool = False


@dataclass(frozen=True)
class Counted:
    """How many trials were asked for, and how many of them an earlier call has made."""

    total: int
    done: int


@dataclass(frozen=True)
class TrialStarted:
    """A trial begins."""

    name: str


@dataclass(frozen=True)
class TrialFinished:
    """A trial has its result, on disk."""

    trial: Trial


Step = Note | BuildProgress | Counted | TrialStarted | TrialFinished
Tell = Callable[[Step], None]


@dataclass(frozen=True)
class Selftested:
    """What came of it.

    Attributes:
        document: Of all entries, also those that nobody asked for.
        names: Of those that were asked for, and of a control that did not pass.
        path: Of the JSON; None where nothing was run.
    """

    document: SelftestDocument
    names: frozenset[str]
    path: Path | None

    @property
    def results(self) -> tuple[Result | None, ...]:
        """Of the entries that count."""
        return tuple(row.result for row in self.document.matrix.rows if row.entry.name in self.names)


def run_selftest(request: SelftestRequest, environ: Mapping[str, str], tell: Tell) -> Selftested:
    """Make the trials that are not made yet, and publish the matrix after each.

    Raises:
        HarnessError: there is none to be had; what is already on disk stays.
        Interrupted: after everything that was started has been removed.
    """
    if request.candidate is not None and URL.match(request.candidate):
        raise UsageError(
            f"--candidate {request.candidate}: a selftest starts what it tests, a URL runs already",
            fix="name an image",
        )
    suite, subject = _subject(request)
    names = chosen(subject.entries, request.only)
    made = names if subject.control is None else names | {subject.control}
    store = _store(request, subject)
    with store.held():
        healthy = _healthy({subject.configs[name] for name in made}, suite, request, environ, tell)
        images = {name: healthy.get(config) for name, config in subject.configs.items()}
        trials = _last_of_each(store, request, subject, healthy)
        asked = Asked(config=suite.path, folder=store.folder, mode=request.mode, seed=request.seed)
        jobs = [
            Job(asked=asked, name=entry.name, healthy=images[entry.name] or "", catalogue=subject.catalogue)
            for entry in subject.entries
            if entry.name in made and not is_done(trials.get(entry.name), images[entry.name] or "")
        ]
        tell(Counted(len(made), len(made) - len(jobs)))

        def finished(job: Job, found: Trial | str) -> None:
            trial = found if isinstance(found, Trial) else _failed(job, subject, found)
            store.append(trial)
            trials[trial.name] = following(trials.get(trial.name), trial)
            publish(_document(request, suite, subject, trials), store.folder)
            tell(TrialFinished(trial))

        def started(job: Job) -> None:
            tell(TrialStarted(job.name))

        if subject.control is not None:
            run_all([job for job in jobs if job.name == subject.control], 1, started, finished)
            jobs = _behind(trials[subject.control], jobs)
        run_all(jobs, request.jobs, started, finished)
        document = _document(request, suite, subject, trials)
        return Selftested(document, _told(names, subject, trials), publish(document, store.folder))


def stored(request: SelftestRequest, tell: Tell) -> Selftested:
    """The matrix of the trials that are stored, without an engine; what was not tried is listed as such."""
    suite, subject = _subject(request)
    names = chosen(subject.entries, request.only)
    store = _store(request, subject)
    trials = _last_of_each(store, request, subject, {})
    if not trials and (others := store.others()):
        of_earlier = f"{others[0]}{f' and {len(others) - 1} more' if others[1:] else ''}"
        now = "for the catalogue, suite and harness as they are now"
        tell(Note(f"nothing is stored {now}; of earlier ones: {of_earlier}"))
    return Selftested(_document(request, suite, subject, trials), _told(names, subject, trials), None)


def _subject(request: SelftestRequest) -> tuple[Suite, Subject]:
    suite = load_suite(request.config)
    return suite, (of_proxy if request.proxied else of_catalogue)(suite)


def _store(request: SelftestRequest, subject: Subject) -> TrialStore:
    return TrialStore(request.out / FOLDER / subject.digest)


def _last_of_each(
    store: TrialStore, request: SelftestRequest, subject: Subject, healthy: Mapping[Path, str]
) -> dict[str, Trial]:
    """The last trial of each entry, as it was asked for now, those of one suite all of one healthy image.

    That is the image in ``healthy``; where none is, that of the newest trial: no figure pools two images.
    """
    made = [
        trial
        for trial in store.read()
        if trial.name in subject.configs and (trial.mode, trial.seed) == (request.mode, request.seed)
    ]
    images = {subject.configs[trial.name]: trial.healthy for trial in made} | dict(healthy)
    of_image = [trial for trial in made if trial.healthy == images[subject.configs[trial.name]]]
    return last_of_each(of_image, request.mode, request.seed)


def _document(
    request: SelftestRequest, suite: Suite, subject: Subject, trials: Mapping[str, Trial]
) -> SelftestDocument:
    return document_of(
        suite,
        matrix(subject.entries, trials),
        digest=subject.digest,
        inputs=subject.inputs,
        proxied=request.proxied,
        mode=request.mode,
        seed=request.seed,
    )


def _behind(control: Trial, jobs: Iterable[Job]) -> list[Job]:
    """The other trials, told what fails without a fault; none where nobody knows what does."""
    if control.result is Result.ERROR:
        return []
    known = failing(control)
    return [job.model_copy(update={"without_fault": known}) for job in jobs if job.name != control.name]


def _told(names: frozenset[str], subject: Subject, trials: Mapping[str, Trial]) -> frozenset[str]:
    """What the tables list and the exit code is of: a control that did not pass is named unasked."""
    control = None if subject.control is None else trials.get(subject.control)
    return names if control is None or control.result in AS_IT_SHOULD else names | {control.name}


def _healthy(
    configs: Iterable[Path],
    suite: Suite,
    request: SelftestRequest,
    environ: Mapping[str, str],
    tell: Tell,
) -> dict[Path, str]:
    """The id of the healthy image of each suite, built where none is named; empty for a process.

    Raises:
        HarnessError: it cannot be had.
    """
    found = {}
    for config in sorted(configs):
        own = config == suite.path
        named = request.candidate if own else None
        of = suite if own else load_suite(config)
        if named is None and of.config.service.build is None and not request.proxied:
            raise UsageError(
                f"{config} does not say how to build the healthy image",
                fix="declare [service.build], or name the image by --candidate",
            )
        prepared = prepare(of, named, gpu=False, environ=environ, emit=lambda event: _passed_on(event, tell))
        launch = prepared.launcher.resolve(named)
        if launch.image is None and not request.proxied:
            raise InfrastructureError("no container engine answers, and images have to be built", fix=INSTALL)
        found[config] = launch.description.image_id or ""
    return found


def _passed_on(event: object, tell: Tell) -> None:
    """Of what preparing tells, what there is to see."""
    if isinstance(event, Note | BuildProgress):
        tell(event)


def _failed(job: Job, subject: Subject, why: str) -> Trial:
    """Of an entry whose process ended without a trial."""
    entry = next(each for each in subject.entries if each.name == job.name)
    return Trial(
        name=entry.name,
        kind=entry.kind,
        family=entry.family,
        mode=job.asked.mode,
        seed=job.asked.seed,
        healthy=job.healthy,
        result=Result.ERROR,
        why=why,
    )
