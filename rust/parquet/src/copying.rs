//! Files made of the encoded columns of others.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, RowGroupMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::checks::{Footer, place};
use crate::error::{Result, mismatch, text};

/// Writes some of a file's row groups with the columns of another file added.
///
/// Columns with the name of an added column are left out. The added file must have one row group for each copied one,
/// with the same number of rows. `metadata` replaces the metadata of both files.
///
/// # Errors
/// When a file cannot be read or written, or the row groups do not match.
pub fn append_columns(
    source: &Path,
    row_groups: Range<usize>,
    added: &Path,
    metadata: Vec<(String, String)>,
    output: &Path,
) -> Result<()> {
    let source = Input::open(source)?;
    let added = Input::open(added)?;
    let taken = source.footer.metadata().row_groups().get(row_groups.clone());
    let taken = taken.ok_or_else(|| mismatch(format!("there are no row groups {row_groups:?}")))?;
    if taken.len() != added.footer.metadata().row_groups().len() {
        return Err(mismatch(format!(
            "{} row groups, {} added",
            taken.len(),
            added.footer.metadata().row_groups().len()
        )));
    }
    let kept: Vec<bool> =
        source.fields().iter().map(|field| added.fields().iter().all(|new| new.name() != field.name())).collect();
    let fields = source.fields().iter().zip(&kept).filter(|(_, kept)| **kept).map(|(field, _)| field);
    let schema = group(source.schema().name(), fields.chain(added.fields()).cloned().collect())?;

    let mut writer = create(output, schema, metadata)?;
    for (group, new) in taken.iter().zip(added.footer.metadata().row_groups()) {
        if group.num_rows() != new.num_rows() {
            return Err(mismatch(format!("a row group of {} rows, {} added", group.num_rows(), new.num_rows())));
        }
        let mut output = writer.next_row_group()?;
        source.copy_columns(group, |root| kept[root], &mut output)?;
        added.copy_columns(new, |_| true, &mut output)?;
        output.close()?;
    }
    finish(writer)
}

/// Writes the row groups of files with the same schema, in order, with the metadata of the first file.
///
/// # Errors
/// When there are no files, one cannot be read or written, or they have different schemas.
pub fn concatenate(files: &[PathBuf], output: &Path) -> Result<()> {
    let first = Input::open(files.first().ok_or_else(|| mismatch("no files".into()))?)?;
    let metadata = first.footer.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let metadata = metadata.into_iter().filter_map(|pair| pair.value.map(|value| (pair.key, value))).collect();
    let mut writer = create(output, Arc::new(first.schema().clone()), metadata)?;
    for file in files {
        let input = Input::open(file)?;
        if input.schema() != first.schema() {
            return Err(mismatch(format!("{} has a different schema", file.display())));
        }
        for group in input.footer.metadata().row_groups() {
            let mut output = writer.next_row_group()?;
            input.copy_columns(group, |_| true, &mut output)?;
            output.close()?;
        }
    }
    finish(writer)
}

struct Input {
    file: File,
    footer: Footer,
}

impl Input {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let footer = Footer::read(&file).map_err(|error| of_file(error, path))?;
        Ok(Input { file, footer })
    }

    fn schema(&self) -> &Type {
        self.footer.metadata().file_metadata().schema()
    }

    fn fields(&self) -> &[TypePtr] {
        self.schema().get_fields()
    }

    /// Copies the wanted root columns, with all their leaves.
    fn copy_columns(
        &self,
        group: &RowGroupMetaData,
        wanted: impl Fn(usize) -> bool,
        output: &mut SerializedRowGroupWriter<'_, File>,
    ) -> Result<()> {
        let schema = self.footer.metadata().file_metadata().schema_descr();
        for (leaf, column) in group.columns().iter().enumerate() {
            if wanted(schema.get_column_root_idx(leaf)) {
                if column.dictionary_page_offset() == Some(0) {
                    return Err(mismatch(format!(
                        "the file does not say where the column {} begins",
                        column.column_path().string()
                    )));
                }
                let place = place(column);
                let copied = ColumnCloseResult {
                    bytes_written: place.end - place.start,
                    rows_written: group.num_rows().unsigned_abs(),
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                output.append_column(&self.file, copied)?;
            }
        }
        Ok(())
    }
}

fn create(path: &Path, schema: TypePtr, metadata: Vec<(String, String)>) -> Result<SerializedFileWriter<File>> {
    let metadata = metadata.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(metadata))
        .set_compression(Compression::UNCOMPRESSED)
        .build();
    SerializedFileWriter::new(File::create(path)?, schema, Arc::new(properties))
}

fn finish(mut writer: SerializedFileWriter<File>) -> Result<()> {
    writer.finish()?;
    Ok(writer.flush()?)
}

fn group(name: &str, fields: Vec<TypePtr>) -> Result<TypePtr> {
    Ok(Arc::new(Type::group_type_builder(name).with_fields(fields).build()?))
}

/// The error with the name of the file. Errors of the operating system stay unchanged.
fn of_file(error: ParquetError, path: &Path) -> ParquetError {
    match error {
        ParquetError::External(_) => error,
        other => mismatch(format!("{}: {}", path.display(), text(&other))),
    }
}
