"""What the README says is what the course measured and offers."""

import re
import statistics
from pathlib import Path

from helpers import published
from helpers.evaluation import wilson_interval

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_table_of_the_digits_networks_is_the_stored_result():
    stored = published.load_result("04")
    pictures = stored["data"]["counts"]["test"]
    for runs in stored["recipes"].values():
        middle = sorted(runs, key=lambda run: run["test_accuracy"])[len(runs) // 2]
        low, high = wilson_interval(round(middle["test_accuracy"] * pictures), pictures)
        seconds = statistics.median(run["train_seconds"] for run in runs)
        cells = (
            f"| {middle['parameter_count']:,} | {seconds:.0f} "
            f"| {middle['test_accuracy']:.2%} ({low:.2%} to {high:.2%}) |"
        )
        assert cells in README, f"README's table lacks {cells}"


def test_table_of_the_scenes_networks_is_the_stored_result():
    stored = published.load_result("05")
    for runs in stored["runs"].values():
        middle = sorted(runs, key=lambda run: run["test_accuracy"])[len(runs) // 2]
        low, high = wilson_interval(round(middle["test_accuracy"] * middle["pictures"]), middle["pictures"])
        cells = (
            f"| {middle['epochs']} | {middle['parameter_count']:,} "
            f"| {middle['test_accuracy']:.1%} ({low:.1%} to {high:.1%}) | {middle['macro_f1']:.3f} |"
        )
        assert cells in README, f"README's table lacks {cells}"
    counts = stored["data"]["counts"]
    assert f"{counts['train']:,} training and {counts['test']:,} test photographs" in README


def test_table_of_the_bases_is_the_stored_result():
    for base, cuts in published.load_result("06")["cross_validation"].items():
        number = (
            f"{statistics.mean(cuts):.1%} ({min(cuts):.1%} to {max(cuts):.1%})" if cuts else "not measured"
        )
        assert f"| {base} | {number} |" in README, f"README's table lacks {base}: {number}"


def test_every_benchmark_is_named_in_the_readme():
    for script in (ROOT / "tests" / "benchmarks").glob("*.py"):
        assert f"`{script.name}`" in README, script.name


def test_every_file_that_the_readme_links_to_exists():
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_every_make_target_of_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake (course|lab|test|\w+)(?= |$|`|\n)", README)) & {"course", "lab", "test"}
    assert targets == {"course", "lab", "test"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
