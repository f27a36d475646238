"""The catalogue that a suite names, and the digests of all that the figures of a selftest depend on.

Whoever asks whether a selftest is still of what there is now needs no more than these, and the names of the
files that checks read: to find those takes as long as to verify a whole suite, to hash them next to nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.config.suite import Suite, load_suite
from harness.errors import ConfigError
from harness.evidence_files import sha256_file
from harness.selftest.catalogue import Entry, load_catalogue
from harness.selftest.proxy import built_in_faults
from harness.selftest.suites import config_of
from harness.selftest.trials import catalogue_files, digest_of, inputs_of

Inputs = Mapping[str, Mapping[str, str]]
"""By the name of a suite: SHA-256 of each file that its checks read, by path relative to its gate.toml."""
Names = Mapping[str, Sequence[str]]
"""Those files alone."""


@dataclass(frozen=True)
class Catalogue:
    """What a suite has to notice, and to let pass.

    Attributes:
        configs: The gate.toml that gates each entry, by its name.
        suites: What these files declare.
    """

    folder: Path
    entries: tuple[Entry, ...]
    configs: Mapping[str, Path]
    suites: Mapping[Path, Suite]

    def digest(self, inputs: Inputs) -> str:
        """Of all that its trials depend on, but for the images."""
        suites = [(suite, inputs[suite.config.name]) for suite in self.suites.values()]
        return digest_of(suites, catalogue_files(self.folder))


def catalogue_of(suite: Suite) -> Catalogue:
    """The catalogue that the suite names; what its entries ask of their suites is not looked at yet.

    Raises:
        ConfigError: there is none, or something in it is wrong.
    """
    settings = suite.config.selftest
    if settings is None:
        raise ConfigError(
            file=suite.path,
            key="selftest",
            problem="section is missing",
            allowed="[selftest] with the folder of a catalogue; `harness selftest --proxy` needs none",
        )
    folder = suite.resolve(settings.catalogue, key="selftest.catalogue")
    entries = load_catalogue(folder)
    configs = {entry.name: config_of(entry, suite) for entry in entries}
    suites = {path: suite if path == suite.path else load_suite(path) for path in configs.values()}
    return Catalogue(folder, entries, configs, suites)


def digest_of_injected(suite: Suite, inputs: Inputs) -> str:
    """Of all that the trials of the proxy's faults depend on, but for the images and the seed."""
    faults = [fault.model_dump_json() for fault in built_in_faults()]
    return digest_of([(suite, inputs[suite.config.name])], {}, faults)


def read_inputs(*suites: Suite) -> dict[str, dict[str, str]]:
    """What the checks of the suites read.

    Raises:
        ConfigError: a file is missing or wrong.
    """
    return {suite.config.name: inputs_of(suite) for suite in suites}


def digest_now(suite: Suite, names: Names, *, proxied: bool) -> str:
    """What the digest of a selftest of this suite would be now, if its checks read the files of these names.

    Raises:
        ConfigError: something in the catalogue is wrong.
        OSError: a file cannot be read.
    """
    if proxied:
        return digest_of_injected(suite, _as_named([suite], names))
    catalogue = catalogue_of(suite)
    return catalogue.digest(_as_named(catalogue.suites.values(), names))


def _as_named(suites: Iterable[Suite], names: Names) -> Inputs:
    """Of one that is gone, or was never a file, nothing."""
    return {
        suite.config.name: {
            name: sha256_file(suite.folder / name) if (suite.folder / name).is_file() else ""
            for name in names.get(suite.config.name, ())
        }
        for suite in suites
    }
