"""The same scores from engines that distribute the work. Each runs in its own processes, if it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column
from helpers.made_lines import scrawl
from penpal_fast import score_dataset

ROWS = [*(scrawl(seed, 2 + seed % 4, 15) for seed in range(60)), None, []]

READ = """
import pyarrow as pa, pyarrow.parquet as pq
from penpal_fast import ArrowScorer
lines, out, reader = {lines!r}, {out!r}, {reader!r}
"""

PROGRAMS = {
    "ray": """
import ray
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
data = ray.data.read_parquet(lines, override_num_blocks=4)
scored = data.map_batches(ArrowScorer(threads=1), batch_format="pyarrow", batch_size=16)
table = pa.concat_tables(ray.get(scored.to_arrow_refs()))
pq.write_table(table, out)
""",
    "ray with actors": """
import ray
# Each actor takes a processor for as long as it lives, and reading needs one too.
ray.init(num_cpus=4, include_dashboard=False, logging_level="ERROR")
data = ray.data.read_parquet(lines, override_num_blocks=4)
scored = data.map_batches(
    ArrowScorer, fn_constructor_kwargs={{"threads": 1}}, batch_format="pyarrow", batch_size=16,
    compute=ray.data.ActorPoolStrategy(size=2),
)
pq.write_table(pa.concat_tables(ray.get(scored.to_arrow_refs())), out)
""",
    "datasets": """
import datasets
data = datasets.Dataset.from_parquet(lines).with_format("arrow")
scored = data.map(ArrowScorer(threads=1), batched=True, batch_size=16, num_proc=2)
scored.to_parquet(out)
""",
    "pyspark": """
from pyspark.sql import SparkSession
from pyspark.sql.types import FloatType, StringType, StructField, StructType
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", False).getOrCreate()
data = spark.read.parquet(lines).repartition(2)
added = [("quality", FloatType()), ("quality_error", StringType()), ("quality_note", StringType())]
schema = StructType([*data.schema, *(StructField(name, kind) for name, kind in added)])
scorer = ArrowScorer(threads=1)
scored = data.mapInArrow(lambda batches: map(scorer, batches), schema)
pq.write_table(scored.toArrow(), out)
""",
    "daft": """
import daft
scorer = ArrowScorer(threads=1)
@daft.func.batch(return_dtype=daft.DataType.float32())
def quality(strokes: daft.Series):
    return scorer(pa.table({{"strokes": strokes.to_arrow()}}))["quality"].combine_chunks()
data = daft.read_parquet(lines).into_partitions(2)
pq.write_table(data.with_column("quality", quality(data["strokes"])).to_arrow(), out)
""",
    "ray with texts": """
import ray
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
data = ray.data.read_parquet(lines, override_num_blocks=4)
scorer = ArrowScorer(threads=1, text="text", reading=True, reader=reader)
scored = data.map_batches(scorer, batch_format="pyarrow", batch_size=16)
pq.write_table(pa.concat_tables(ray.get(scored.to_arrow_refs())), out)
""",
    "datasets with texts": """
import datasets
data = datasets.Dataset.from_parquet(lines).with_format("arrow")
scorer = ArrowScorer(threads=1, text="text", reading=True, reader=reader)
data.map(scorer, batched=True, batch_size=16, num_proc=2).to_parquet(out)
""",
    "pyspark with texts": """
from pyspark.sql import SparkSession
from pyspark.sql.types import FloatType, StringType, StructField, StructType
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", False).getOrCreate()
data = spark.read.parquet(lines).repartition(2)
added = [("quality", FloatType()), ("quality_error", StringType()), ("quality_note", StringType())]
added += [("text_match", FloatType()), ("text_match_error", StringType())]
added += [("reading", StringType()), ("readability", FloatType())]
schema = StructType([*data.schema, *(StructField(name, kind) for name, kind in added)])
scorer = ArrowScorer(threads=1, text="text", reading=True, reader=reader)
pq.write_table(data.mapInArrow(lambda batches: map(scorer, batches), schema).toArrow(), out)
""",
    "polars": """
import polars
polars.from_arrow(ArrowScorer()(polars.read_parquet(lines))).write_parquet(out)
""",
    "duckdb": """
import duckdb
pq.write_table(ArrowScorer()(duckdb.sql(f"select * from '{{lines}}'").to_arrow_table()), out)
""",
}


@pytest.fixture
def lines(tmp_path):
    texts = [f"line {row % 3}" if row % 7 else None for row in range(len(ROWS))]
    table = pa.table({"strokes": column(ROWS), "number": range(len(ROWS)), "text": texts})
    pq.write_table(table, tmp_path / "lines.parquet", row_group_size=16)
    return tmp_path / "lines.parquet"


def needs(name):
    package = name.split()[0]
    pytest.importorskip(package, reason=f"{package} is not installed; pip install '.[cluster]' brings it")
    if package == "pyspark" and not shutil.which("java"):
        pytest.skip("Spark needs Java")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_scores_are_those_of_the_command_line(lines, tmp_path, reader_folder, name):
    needs(name)
    out = tmp_path / "out.parquet"
    environment = {**os.environ, "HF_HOME": str(tmp_path / "cache"), "RAY_DEDUP_LOGS": "0"}
    environment["RAY_agent_register_timeout_ms"] = "300000"  # The default, 30 s, is too short for a busy machine.
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    program = (READ + PROGRAMS[name]).format(lines=str(lines), out=str(out), reader=str(reader_folder))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr

    texts = {"text": "text", "reading": True, "reader": reader_folder} if name.endswith("with texts") else {}
    score_dataset(lines, tmp_path / "expected.parquet", **texts)
    expected = pq.read_table(tmp_path / "expected.parquet")
    found = pq.read_table(out).sort_by("number")
    assert found["number"].to_pylist() == expected["number"].to_pylist()
    assert found["quality"].to_pylist() == expected["quality"].to_pylist()
    for added in ("text_match", "text_match_error", "reading", "readability") if texts else ():
        assert found[added].to_pylist() == expected[added].to_pylist()
    if name != "daft":
        assert found["quality_error"].to_pylist() == expected["quality_error"].to_pylist()


def test_datasets_loads_what_was_scored(lines, tmp_path):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed; pip install '.[test]' brings it")
    data = datasets.Dataset.from_parquet(str(lines), cache_dir=str(tmp_path / "cache"))
    data.to_parquet(str(tmp_path / "features.parquet"))
    assert b"huggingface" in pq.read_schema(tmp_path / "features.parquet").metadata
    score_dataset(tmp_path / "features.parquet", tmp_path / "scored")
    scored = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "scored" / "*.parquet"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert scored.column_names == ["strokes", "number", "text", "quality", "quality_error", "quality_note"]
    assert scored.features["quality"] == datasets.Value("float32")
    assert len(scored) == len(ROWS)
