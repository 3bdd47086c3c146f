//! How a column of strokes is nested, as the file's schema has it.

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::schema::types::Type;

/// Maximum number of levels. Strokes have five, with their points.
const MAX_LEVELS: usize = 8;

/// A list or a struct around the coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    List,
    Struct,
}

/// A level, from the rows down.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    pub kind: Kind,
    /// Number of lists around it.
    pub depth: u32,
    /// The least definition level of what is inside the innermost of these lists.
    pub inside: u32,
    /// The least definition level at which it is not null.
    pub valid: u32,
    /// Of a list: the least definition level at which it has an item. Of a struct, the same as `valid`.
    pub filled: u32,
}

/// A coordinate of the points.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    pub kind: Physical,
    /// The definition level at which it is not null.
    pub valid: u32,
}

/// The levels of a column down to its points, and their two coordinates.
#[derive(Clone, Debug)]
pub struct Nesting {
    pub levels: Vec<Level>,
    pub axes: [Axis; 2],
    /// Number of lists, which is the largest repetition level.
    pub lists: u32,
    /// The least definition level of what is inside all lists.
    pub inside: u32,
}

impl Nesting {
    /// `None` if a column is no list of points, or has more fields than strokes of points have.
    pub fn find(root: &Type) -> Option<Self> {
        let (mut levels, mut lists, mut inside, mut definition) = (Vec::new(), 0, 0, 0);
        let mut node = root;
        loop {
            if levels.len() > MAX_LEVELS || !node.is_group() {
                return None;
            }
            definition += optional(node)?;
            let (valid, depth) = (definition, lists);
            if is_list(node) {
                let item = item(node)?;
                definition += 1;
                levels.push(Level { kind: Kind::List, depth, inside, valid, filled: definition });
                lists += 1;
                inside = definition;
                node = item;
                continue;
            }
            if node.get_basic_info().has_id() || node.get_basic_info().logical_type_ref().is_some() {
                return None;
            }
            levels.push(Level { kind: Kind::Struct, depth, inside, valid, filled: valid });
            match node.get_fields() {
                [inner] => node = inner,
                [x, y] if lists > 0 => {
                    let axes = [axis(x, definition)?, axis(y, definition)?];
                    return Some(Nesting { levels, axes, lists, inside });
                }
                _ => return None,
            }
        }
    }
}

/// The definition levels that a node adds; `None` if it is repeated.
fn optional(node: &Type) -> Option<u32> {
    let info = node.get_basic_info();
    match info.has_repetition().then(|| info.repetition()) {
        Some(Repetition::OPTIONAL) => Some(1),
        Some(Repetition::REQUIRED) => Some(0),
        _ => None,
    }
}

fn is_list(node: &Type) -> bool {
    let info = node.get_basic_info();
    info.converted_type() == ConvertedType::LIST || matches!(info.logical_type_ref(), Some(LogicalType::List))
}

/// The item of a list of three levels. Other lists have names that mean something, or no name.
fn item(list: &Type) -> Option<&Type> {
    let [repeated] = list.get_fields() else { return None };
    let info = repeated.get_basic_info();
    let is_repeated = info.has_repetition() && info.repetition() == Repetition::REPEATED;
    let is_plain = matches!(repeated.name(), "list" | "element" | "bag" | "item");
    match (repeated.is_group() && is_repeated && is_plain).then(|| repeated.get_fields()) {
        Some([item]) => Some(item),
        _ => None,
    }
}

fn axis(leaf: &Type, definition: u32) -> Option<Axis> {
    if !leaf.is_primitive() {
        return None;
    }
    let info = leaf.get_basic_info();
    let is_plain = info.logical_type_ref().is_none() && info.converted_type() == ConvertedType::NONE;
    let kind = leaf.get_physical_type();
    let is_number = matches!(kind, Physical::FLOAT | Physical::DOUBLE);
    let valid = definition + optional(leaf)?;
    (is_plain && is_number).then_some(Axis { kind, valid })
}
