//! Files made of the encoded columns of others.

use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, KeyValue, RowGroupMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::checks::{Footer, place};
use crate::error::{Result, mismatch, text};

/// Bytes that are written at a time.
const WRITTEN_BYTES: usize = 128 << 10;

type Output = BufWriter<File>;

/// Some row groups of a file, and the file whose columns are added to them.
///
/// The added file must have one row group for each of them, with the same number of rows. Columns with the name of an
/// added column are left out.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The file.
    pub source: PathBuf,
    /// Its row groups.
    pub row_groups: Range<usize>,
    /// The file with the added columns.
    pub added: PathBuf,
}

/// Writes row groups with the columns that are added to them. `metadata` replaces the metadata of all files.
///
/// # Errors
/// When there are no pieces, a file cannot be read or written, or row groups or schemas do not match.
pub fn append_columns(pieces: &[Piece], metadata: Vec<(String, String)>, output: &Path) -> Result<()> {
    let mut writer = None;
    appended(pieces, |piece| {
        if writer.is_none() {
            writer = Some(create(output, piece.schema.clone(), metadata.clone())?);
        }
        let Some(writer) = &mut writer else { return Ok(()) };
        for (group, new) in piece.groups() {
            let mut output = writer.next_row_group()?;
            for (input, column) in piece.columns(group, new) {
                input.copy_column(group.num_rows(), column, &mut output)?;
            }
            output.close()?;
        }
        Ok(())
    })?;
    finish(writer.ok_or_else(|| mismatch("no files".into()))?)
}

/// What [`append_columns`] copies, in order: files and ranges of their bytes, which follow the first 4 bytes of its
/// output.
///
/// # Errors
/// When a file cannot be read, or row groups or schemas do not match.
pub fn appended_places(pieces: &[Piece]) -> Result<Vec<(PathBuf, Range<u64>)>> {
    let mut places: Vec<(PathBuf, Range<u64>)> = Vec::new();
    appended(pieces, |piece| {
        for (group, new) in piece.groups() {
            for (input, column) in piece.columns(group, new) {
                let place = place(column);
                match places.last_mut() {
                    Some((path, before)) if *path == input.path && before.end == place.start => before.end = place.end,
                    _ => places.push((input.path.clone(), place)),
                }
            }
        }
        Ok(())
    })?;
    Ok(places)
}

/// Opens pieces one after another.
fn appended(pieces: &[Piece], mut with: impl FnMut(&Appended) -> Result<()>) -> Result<()> {
    let mut before: Option<Appended> = None;
    for piece in pieces {
        let opened = Appended::open(piece, before.as_ref())?;
        if before.is_some_and(|before| before.schema != opened.schema) {
            return Err(mismatch(format!("{} has a different schema", piece.added.display())));
        }
        with(&opened)?;
        before = Some(opened);
    }
    Ok(())
}

/// A piece whose files are open.
struct Appended {
    source: Arc<Input>,
    added: Input,
    row_groups: Range<usize>,
    /// Which root columns of the source are copied.
    kept: Vec<bool>,
    schema: TypePtr,
}

impl Appended {
    /// Opens a piece. The footer of a source that is that of the piece before is not read again.
    fn open(piece: &Piece, before: Option<&Appended>) -> Result<Self> {
        let source = match before {
            Some(before) if before.source.path == piece.source => before.source.clone(),
            _ => Arc::new(Input::open(&piece.source)?),
        };
        let added = Input::open(&piece.added)?;
        let row_groups = piece.row_groups.clone();
        let taken = source.groups().get(row_groups.clone());
        let taken = taken.ok_or_else(|| mismatch(format!("there are no row groups {row_groups:?}")))?;
        if taken.len() != added.groups().len() {
            return Err(mismatch(format!("{} row groups, {} added", taken.len(), added.groups().len())));
        }
        if let Some((group, new)) = taken.iter().zip(added.groups()).find(|(one, new)| one.num_rows() != new.num_rows())
        {
            return Err(mismatch(format!("a row group of {} rows, {} added", group.num_rows(), new.num_rows())));
        }
        let kept: Vec<bool> =
            source.fields().iter().map(|field| added.fields().iter().all(|new| new.name() != field.name())).collect();
        let fields = source.fields().iter().zip(&kept).filter(|(_, kept)| **kept).map(|(field, _)| field);
        let schema = group(source.schema().name(), fields.chain(added.fields()).cloned().collect())?;
        Ok(Appended { source, added, row_groups, kept, schema })
    }

    /// The row groups, each with the one that is added.
    fn groups(&self) -> impl Iterator<Item = (&RowGroupMetaData, &RowGroupMetaData)> {
        self.source.groups()[self.row_groups.clone()].iter().zip(self.added.groups())
    }

    /// The columns of a row group, with the files that have them.
    fn columns<'a>(
        &'a self,
        group: &'a RowGroupMetaData,
        new: &'a RowGroupMetaData,
    ) -> impl Iterator<Item = (&'a Input, &'a ColumnChunkMetaData)> {
        let kept = self.source.columns(group).filter(|(root, _)| self.kept[*root]);
        let kept = kept.map(|(_, column)| (&*self.source, column));
        kept.chain(self.added.columns(new).map(|(_, column)| (&self.added, column)))
    }
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
        for group in input.groups() {
            let mut output = writer.next_row_group()?;
            for (_, column) in input.columns(group) {
                input.copy_column(group.num_rows(), column, &mut output)?;
            }
            output.close()?;
        }
    }
    finish(writer)
}

struct Input {
    path: PathBuf,
    file: File,
    footer: Footer,
}

impl Input {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let footer = Footer::read(&file).map_err(|error| of_file(error, path))?;
        Ok(Input { path: path.into(), file, footer })
    }

    fn schema(&self) -> &Type {
        self.footer.metadata().file_metadata().schema()
    }

    fn fields(&self) -> &[TypePtr] {
        self.schema().get_fields()
    }

    fn groups(&self) -> &[RowGroupMetaData] {
        self.footer.metadata().row_groups()
    }

    /// The columns of a row group, each with the index of its root.
    fn columns<'a>(&'a self, group: &'a RowGroupMetaData) -> impl Iterator<Item = (usize, &'a ColumnChunkMetaData)> {
        let schema = self.footer.metadata().file_metadata().schema_descr();
        group.columns().iter().enumerate().map(|(leaf, column)| (schema.get_column_root_idx(leaf), column))
    }

    fn copy_column(
        &self,
        rows: i64,
        column: &ColumnChunkMetaData,
        output: &mut SerializedRowGroupWriter<'_, Output>,
    ) -> Result<()> {
        if column.dictionary_page_offset() == Some(0) {
            return Err(mismatch(format!(
                "the file does not say where the column {} begins",
                column.column_path().string()
            )));
        }
        let place = place(column);
        let copied = ColumnCloseResult {
            bytes_written: place.end - place.start,
            rows_written: rows.unsigned_abs(),
            metadata: column.clone(),
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        output.append_column(&self.file, copied)
    }
}

fn create(path: &Path, schema: TypePtr, metadata: Vec<(String, String)>) -> Result<SerializedFileWriter<Output>> {
    let metadata = metadata.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(metadata))
        .set_compression(Compression::UNCOMPRESSED)
        .build();
    let output = BufWriter::with_capacity(WRITTEN_BYTES, File::create(path)?);
    SerializedFileWriter::new(output, schema, Arc::new(properties))
}

fn finish(mut writer: SerializedFileWriter<Output>) -> Result<()> {
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
