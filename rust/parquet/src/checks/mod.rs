//! Checks of a file before anything trusts it: its footer, and the pages of its columns.

mod footer;
mod page_header;
mod pages;
mod shapes;
mod thrift;

pub(crate) use footer::place;
pub use footer::{Footer, MAX_METADATA_BYTES, RowGroup};
pub(crate) use page_header::{Content, PageHeader};
