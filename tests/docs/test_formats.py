"""Files that the program writes are as their schemas say, and the schemas miss no field."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import yaml
from building.formats import described, schemas, with_schemas

from tests.json_schema import faults

ROOT = Path(__file__).resolve().parents[2]


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(schemas()[name].read_text(encoding="utf-8"))
    return loaded


def wrong(name: str, *values: Any) -> list[str]:
    assert values
    return [fault for value in values for fault in faults(value, schema(name))]


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def header(path: Path) -> Any:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["bundle"])


def test_a_run_folder(trained: Path) -> None:
    assert wrong("config", yaml.safe_load((trained / "config.yaml").read_text(encoding="utf-8"))) == []
    assert wrong("environment", json.loads((trained / "environment.json").read_text(encoding="utf-8"))) == []
    assert wrong("metrics", *lines(trained / "metrics.jsonl")) == []
    assert wrong("result", json.loads((trained / "result.json").read_text(encoding="utf-8"))) == []
    for split in ("train", "dev", "test"):
        assert wrong("manifest", *lines(trained / "manifest" / f"{split}.jsonl")) == []
    for split in ("dev", "test"):
        assert wrong("utterances", *lines(trained / "decode" / split / "utterances.jsonl")) == []


def test_a_bundle(trained: Path, tmp_path: Path) -> None:
    import asr
    from asr.recogniser.bundle import save_bundle

    path = tmp_path / "model.safetensors"
    save_bundle(asr.load(trained), path)
    assert wrong("bundle", header(path)) == []


@pytest.mark.parametrize("path", sorted((ROOT / "asr/pretrained").glob("*.safetensors")), ids=lambda path: path.stem)
def test_bundles_of_the_package(path: Path) -> None:
    assert wrong("bundle", header(path)) == []


def test_results_of_the_recipes() -> None:
    paths = [path for path in sorted(ROOT.glob("recipes/*/results/*.json")) if path.parts[-3] != "books"]
    assert len(paths) > 50
    assert {path: found for path in paths if (found := wrong("result", json.loads(path.read_text("utf-8"))))} == {}


@pytest.mark.parametrize("name", sorted(schemas()))
def test_examples_fit_their_schema_and_are_shown(name: str) -> None:
    shown = described(schema(name))
    for example in schema(name).get("examples", []):
        assert wrong(name, example) == []
        assert json.dumps(example, indent=1, ensure_ascii=False) in shown
    for field in schema(name).get("properties", {}):
        assert f"\n`{field}`: " in shown


@pytest.mark.parametrize(
    ("name", "change", "fault"),
    [
        ("manifest", {"audio": 3}, r"$.audio: 3 is no string"),
        ("manifest", {"adio": "a.wav"}, "$: has adio"),
        ("utterances", {"counts": {"wer": {"correct": -1}}}, "$.counts.wer: lacks substitutions"),
        ("metrics", {"blank_share": 1.5}, "$.blank_share: 1.5 is out of range"),
    ],
)
def test_schemas_refuse_other_values(name: str, change: dict[str, Any], fault: str) -> None:
    (example,) = schema(name)["examples"]
    assert fault in wrong(name, example | change)


def test_every_schema_is_shown_by_a_page() -> None:
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs/reference/formats").glob("*.md"))
    assert [name for name in schemas() if f"```{{schema}} {name}\n" not in pages] == []
    assert with_schemas("a\n\n```{schema} manifest\n```\n").count("\n`speaker`: string, may be absent\n: ") == 1
