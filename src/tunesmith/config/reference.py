"""The configuration reference, made from the models."""

from typing import Any

from tunesmith.config.schema import own_schema

SPACE_REFERENCE = """\
## space

| form | meaning |
|---|---|
| `max_depth: [3, 5, null]` | one of these JSON values |
| `criterion: gini` | a constant |
| `learning_rate: {float: [1.0e-4, 0.1], log: true}` | a number of a range; `log` spreads it evenly over orders of magnitude |
| `subsample: {float: [0.5, 1.0], step: 0.1}` | a number of a ladder |
| `n_estimators: {int: [50, 500], step: 50}` | a whole number, both ends included |
| `degree: {int: [2, 5], when: {kernel: poly}}` | active only while `kernel` is `poly` (or one of a list) |
| `gamma: {values: [scale, auto], when: {kernel: [rbf, poly]}}` | the same for a list |
| `alpha: {scipy: expon, kwds: {scale: 2.0}}` | a distribution of scipy.stats |

The whole `space` is a mapping of such parameters; or a list of mappings (a union, as scikit-learn's list of param grids); or the path of a JSON, YAML or TOML
file that holds one, for instance a scikit-learn `param_grid` as it is; or, with constraints:

```yaml
space:
  parameters:
    min_samples_leaf: {int: [1, 20]}
    min_samples_split: {int: [2, 40]}
  constraints: ["min_samples_leaf < min_samples_split"]
```

Constraints are comparisons, arithmetic, `and`, `or`, `not` and `in` over parameters and literals. Values are told apart as JSON does: `1`, `1.0` and `true` are
three values. YAML is read by version 1.2: `1e-3` is a number, `no` is text.
"""
INTRODUCTION = """\
# Configuration

`tuning.yaml` (or the same keys in JSON or TOML, e.g. `config/tuning_config.json`). Paths are relative to the
file's folder; a file in a folder named `config` or `studies` belongs to the folder above it. `tunesmith check` reports every problem at once; `tunesmith schema` prints the JSON Schema for editors.

This page is made from the schema by `python docs/generate.py`.
"""


def reference_markdown() -> str:
    """Return the configuration reference: one table a section."""
    schema = own_schema()
    parts = [INTRODUCTION, _table("The file", schema, schema)]
    for name, title in SECTIONS.items():
        parts.append(_table(title, schema["$defs"][name], schema))
        if name == "ObjectiveSection":
            parts.append(SPACE_REFERENCE)
    return "\n".join(parts)


SECTIONS = {
    "ObjectiveSection": "objective",
    "ParamsFileSection": "objective.params_file",
    "MetricsFileSection": "objective.metrics_file",
    "WorkspaceSection": "objective.workspace",
    "ArtifactsSection": "objective.artifacts",
    "EnvironmentSection": "objective.environment",
    "DataSection": "objective.data",
    "HoldoutSection": "objective.data.holdout",
    "CrossValidation": "objective.cv",
    "MetricSpec": "objective.metric, objective.also",
    "StepSection": "objective.steps",
    "ChoiceSection": "objective.estimators",
    "SearchSection": "search",
    "StopSection": "stop",
    "ConvergenceSpec": "stop.convergence",
    "FurtherGainSpec": "stop.further_gain",
    "BudgetSection": "budget",
    "OutputsSection": "outputs",
    "BestSection": "outputs.best",
    "PredictionsSection": "outputs.predictions",
    "SelectionSection": "selection",
    "GateSection": "gate",
    "ConfirmSection": "confirm",
    "ModelsSection": "models",
    "ExecutionSection": "execution",
    "SlotsSection": "execution.slots",
    "Prefixes": "branches",
}


def _table(title: str, section: dict[str, Any], schema: dict[str, Any]) -> str:
    rows = [f"## {title}", ""]
    if text := section.get("description"):
        rows += [text.split("\n")[0].replace("``", "`"), ""]
    rows += ["| key | type | default | meaning |", "|---|---|---|---|"]
    required = section.get("required", [])
    for name, part in section["properties"].items():
        default = "required" if name in required else _default(part)
        meaning = " ".join(part.get("description", "").split()).replace("``", "`")
        rows.append(f"| `{name}` | {_type(part, schema)} | {default} | {_cell(meaning)} |")
    return "\n".join(rows) + "\n"


def _default(part: dict[str, Any]) -> str:
    default = part.get("default")
    if default is None or default == "" or isinstance(default, dict | list):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _type(part: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in part:
        return str(part["$ref"].rpartition("/")[2])
    if "enum" in part:
        return _cell(" | ".join(f"`{value}`" for value in part["enum"]))
    if "anyOf" in part:
        kinds = [_type(branch, schema) for branch in part["anyOf"]]
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null"))
    if part.get("type") == "array":
        return f"list of {_type(part.get('items', {}), schema)}"
    words = {
        "integer": "whole number",
        "object": "mapping",
        "string": "text",
        "boolean": "true/false",
    }
    kind = str(part.get("type", "any"))
    return words.get(kind, kind)


def _cell(text: str) -> str:
    # Git hosts cut a row at its bars before they read code in it.
    return text.replace("|", "\\|")
