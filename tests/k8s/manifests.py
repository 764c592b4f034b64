"""What does kustomize make of a folder of ``k8s/``?

folder ──► kubectl kustomize ──► documents ──► those of one kind, or the one of a name
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from tests.k8s.programs import ROOT

K8S = ROOT / "k8s"
COLLECTORS = ("base", "overlays/local", "overlays/production", "overlays/production-openshift")
BUILT = (*COLLECTORS, "worker", "demo")
Document = dict[str, Any]

# Vector's own: a name, and what stands for it, or what is said if nothing does.
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<flag>:-|:\?)(?P<rest>[^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Built:
    """All documents of one folder."""

    folder: str
    documents: tuple[Document, ...]

    def of(self, kind: str) -> list[Document]:
        """Return the documents of *kind*, in their order."""
        return [each for each in self.documents if each["kind"] == kind]

    def one(self, kind: str, name: str) -> Document:
        """Return the one document of *kind* and *name*; a generated name may carry its hash."""
        named = re.compile(rf"{re.escape(name)}(-[a-z0-9]{{10}})?")
        (found,) = (each for each in self.of(kind) if named.fullmatch(each["metadata"]["name"]))
        return found

    def pod(self, kind: str, name: str) -> Document:
        """Return the pod's spec of a workload."""
        spec: Document = self.one(kind, name)["spec"]["template"]["spec"]
        return spec


@cache
def built(kubectl: str, folder: str) -> Built:
    """Return what kustomize makes of *folder*, offline."""
    text = subprocess.run([kubectl, "kustomize", str(K8S / folder)], check=True, capture_output=True, text=True).stdout
    return Built(folder, tuple(yaml.safe_load_all(text)))


def environment(of: Built) -> dict[str, str]:
    """Return the environment of the collector that *of* deploys."""
    (vector,) = of.pod("DaemonSet", "collector")["containers"]
    given = dict(of.one("ConfigMap", "collector")["data"])
    for variable in vector["env"]:
        source = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        given[variable["name"]] = variable.get("value") or f"<{source}>"
    return given


def filled(text: str, variables: Mapping[str, str]) -> str:
    """Return *text* as Vector reads it, every variable filled in.

    Raises:
        LookupError: one has neither a value nor a default.
    """

    def value(found: re.Match[str]) -> str:
        given = variables.get(found["name"], "")
        if not given and found["flag"] != ":-":
            raise LookupError(found["rest"] or found["name"])
        return given or found["rest"]

    return _VARIABLE.sub(value, text)


def configuration(of: Built) -> Document:
    """Return Vector's whole configuration as *of* deploys it."""
    files = of.one("ConfigMap", "vector")["data"]
    whole: Document = {"sources": {}, "transforms": {}, "sinks": {}}
    for name in ("vector.yaml", "s3.yaml"):
        for section, components in yaml.safe_load(filled(files[name], environment(of))).items():
            if isinstance(components, dict):
                assert not whole[section].keys() & components.keys()
                whole[section].update(components)
            else:
                whole[section] = components
    return whole


def texts(folder: Path) -> dict[str, str]:
    """Return the files below *folder* by their names within it."""
    return {str(p.relative_to(folder)): p.read_text("utf-8") for p in sorted(folder.rglob("*")) if p.is_file()}
