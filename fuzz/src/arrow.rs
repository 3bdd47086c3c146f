//! Arrow arrays of the C data interface, made by hand so that they can lie.
//!
//! Every buffer has [`CAPACITY`] elements, whatever the lengths say, so that a reader that trusts the interface stays
//! within its memory. No reader can detect lengths beyond the memory of a buffer.

use std::ffi::{CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use libfuzzer_sys::arbitrary::{Result, Unstructured};

use crate::numbers::number;

pub const CAPACITY: usize = 24;

/// One array of the tree, with the values that a reader should find.
pub struct Node {
    pub format: &'static str,
    pub name: &'static str,
    pub length: i64,
    pub offset: i64,
    pub null_count: i64,
    pub nulls: Option<u32>,
    /// Offsets of lists. Empty for other types.
    pub offsets: Vec<i64>,
    /// The numbers, as the format holds them.
    pub numbers: Vec<f64>,
    pub children: Vec<Node>,
    /// Added to the true number of buffers and of children.
    pub buffers_lie: i64,
    pub children_lie: i64,
    pub misaligned: bool,
}

impl Node {
    /// An array of a type, with `length` elements from `offset` on.
    pub fn new(format: &'static str, name: &'static str, length: usize, offset: usize, children: Vec<Node>) -> Self {
        Node {
            format,
            name,
            length: length as i64,
            offset: offset as i64,
            null_count: -1,
            nulls: None,
            offsets: Vec::new(),
            numbers: Vec::new(),
            children,
            buffers_lie: 0,
            children_lie: 0,
            misaligned: false,
        }
    }

    /// Whether an element is null, or `None` if it is out of bounds.
    pub fn is_null(&self, index: usize) -> Option<bool> {
        let place = self.place(index)?;
        Some(self.nulls.is_some_and(|valid| valid >> place & 1 == 0))
    }

    /// The elements of the list at an index.
    pub fn items(&self, index: usize) -> Option<std::ops::Range<usize>> {
        let place = self.place(index)?;
        let ends = [*self.offsets.get(place)?, *self.offsets.get(place + 1)?];
        let [start, end] = [usize::try_from(ends[0]).ok()?, usize::try_from(ends[1]).ok()?];
        (start <= end).then_some(start..end)
    }

    pub fn number(&self, index: usize) -> Option<f64> {
        self.numbers.get(self.place(index)?).copied()
    }

    fn place(&self, index: usize) -> Option<usize> {
        (index < usize::try_from(self.length).ok()?).then_some(index + self.offset as usize)
    }

    fn data(&self) -> Vec<u8> {
        let mut data: Vec<u8> = match self.format {
            "+l" => self.offsets.iter().flat_map(|&value| (value as i32).to_ne_bytes()).collect(),
            _ if !self.offsets.is_empty() => self.offsets.iter().flat_map(|value| value.to_ne_bytes()).collect(),
            format => self.numbers.iter().flat_map(|&value| encoded(format, value)).collect(),
        };
        data.resize((CAPACITY + 2) * 8, 0);
        data
    }
}

/// The bytes of a number of a format.
fn encoded(format: &str, value: f64) -> Vec<u8> {
    match format {
        "c" => (value as i8).to_ne_bytes().into(),
        "C" => (value as u8).to_ne_bytes().into(),
        "s" => (value as i16).to_ne_bytes().into(),
        "S" => (value as u16).to_ne_bytes().into(),
        "i" => (value as i32).to_ne_bytes().into(),
        "I" => (value as u32).to_ne_bytes().into(),
        "l" => (value as i64).to_ne_bytes().into(),
        "L" => (value as u64).to_ne_bytes().into(),
        "f" => (value as f32).to_ne_bytes().into(),
        _ => value.to_ne_bytes().into(),
    }
}

/// The number that a reader of the format finds.
pub fn held(format: &str, value: f64) -> f64 {
    match format {
        "c" => (value as i8).into(),
        "C" => (value as u8).into(),
        "s" => (value as i16).into(),
        "S" => (value as u16).into(),
        "i" => (value as i32).into(),
        "I" => (value as u32).into(),
        "l" => (value as i64) as f64,
        "L" => (value as u64) as f64,
        "f" => (value as f32).into(),
        _ => value,
    }
}

#[repr(C)]
struct RawArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *const *const c_void,
    children: *mut *mut RawArray,
    dictionary: *mut RawArray,
    release: Option<unsafe extern "C" fn(*mut RawArray)>,
    private_data: *mut c_void,
}

#[repr(C)]
struct RawSchema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *mut *mut RawSchema,
    dictionary: *mut RawSchema,
    release: Option<unsafe extern "C" fn(*mut RawSchema)>,
    private_data: *mut c_void,
}

/// Arrays that were released so far.
pub static RELEASED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn release_array(array: *mut RawArray) {
    RELEASED.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the interface calls this with the array that it was given.
    unsafe { (*array).release = None };
}

/// Only marks the schema as released. [`Exported`] owns its memory.
unsafe extern "C" fn release_schema(schema: *mut RawSchema) {
    // SAFETY: the interface calls this with the schema that it was given.
    unsafe { (*schema).release = None };
}

/// The memory of an array and its schema. It must live longer than what is imported from it.
#[derive(Default)]
pub struct Exported {
    bytes: Vec<Vec<u8>>,
    texts: Vec<CString>,
    pointers: Vec<Box<[*const c_void; 4]>>,
    array_children: Vec<Box<[*mut RawArray]>>,
    schema_children: Vec<Box<[*mut RawSchema]>>,
    arrays: Vec<Box<RawArray>>,
    schemas: Vec<Box<RawSchema>>,
}

impl Exported {
    /// Exports a tree.
    pub fn new(node: &Node) -> (Self, FFI_ArrowArray) {
        let mut exported = Exported::default();
        let array = exported.add_array(node);
        exported.add_schema(node);
        // SAFETY: RawArray has the fields of the C data interface in their order, as FFI_ArrowArray has.
        let root = unsafe { FFI_ArrowArray::from_raw(array.cast()) };
        (exported, root)
    }

    pub fn schema(&self) -> &FFI_ArrowSchema {
        let root: &RawSchema = self.schemas.last().expect("there is one for each array");
        // SAFETY: RawSchema has the fields of the C data interface in their order, as FFI_ArrowSchema has.
        unsafe { &*std::ptr::from_ref(root).cast() }
    }

    fn add_array(&mut self, node: &Node) -> *mut RawArray {
        let mut children: Vec<*mut RawArray> = node.children.iter().map(|child| self.add_array(child)).collect();
        let count = children.len() as i64;
        children.resize(4, children.last().copied().unwrap_or(null_mut()));
        self.array_children.push(children.into());
        let nulls = match node.nulls {
            Some(bits) => self.add_bytes(bits.to_le_bytes().into(), false),
            None => null(),
        };
        let data = self.add_bytes(node.data(), node.misaligned);
        self.pointers.push(Box::new([nulls, data, data, null()]));
        let buffers = if matches!(node.format, "+s" | "+w:2" | "+w:3") { 1 } else { 2 };
        self.arrays.push(Box::new(RawArray {
            length: node.length,
            null_count: node.null_count,
            offset: node.offset,
            n_buffers: (buffers + node.buffers_lie).clamp(0, 4),
            n_children: (count + node.children_lie).clamp(0, 4),
            buffers: self.pointers.last().expect("just pushed").as_ptr(),
            children: self.array_children.last_mut().expect("just pushed").as_mut_ptr(),
            dictionary: null_mut(),
            release: Some(release_array),
            private_data: null_mut(),
        }));
        &mut **self.arrays.last_mut().expect("just pushed")
    }

    fn add_schema(&mut self, node: &Node) -> *mut RawSchema {
        const NULLABLE: i64 = 2;
        let children: Vec<*mut RawSchema> = node.children.iter().map(|child| self.add_schema(child)).collect();
        let count = children.len() as i64;
        self.schema_children.push(children.into());
        let [format, name] = [node.format, node.name].map(|text| {
            self.texts.push(CString::new(text).expect("no zero in it"));
            self.texts.last().expect("just pushed").as_ptr()
        });
        self.schemas.push(Box::new(RawSchema {
            format,
            name,
            metadata: null(),
            flags: NULLABLE,
            n_children: count,
            children: self.schema_children.last_mut().expect("just pushed").as_mut_ptr(),
            dictionary: null_mut(),
            release: Some(release_schema),
            private_data: null_mut(),
        }));
        &mut **self.schemas.last_mut().expect("just pushed")
    }

    fn add_bytes(&mut self, mut bytes: Vec<u8>, misaligned: bool) -> *const c_void {
        // Vectors of this size are aligned to 16 bytes. The extra byte breaks the alignment.
        if misaligned {
            bytes.insert(0, 0);
        }
        self.bytes.push(bytes);
        let place = self.bytes.last().expect("just pushed").as_ptr();
        if misaligned { place.wrapping_add(1).cast() } else { place.cast() }
    }
}

/// How the levels of a column are stored.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub words: bool,
    pub stroke_structs: bool,
    pub points: Points,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Points {
    Structs,
    Lists,
    FixedLists,
}

/// Makes a column from an input, mostly a stroke column, and tells whether everything in it is true.
pub fn read_column(input: &mut Unstructured) -> Result<(Shape, Node, bool)> {
    let flags: u8 = input.arbitrary()?;
    let shape = Shape {
        words: flags & 1 != 0,
        stroke_structs: flags & 2 != 0,
        points: [Points::Structs, Points::Structs, Points::Lists, Points::FixedLists][usize::from(flags >> 2 & 3)],
    };
    let lies = flags & 0xf0 == 0xf0;
    let mut node = match shape.points {
        Points::Structs => {
            let [x, y] = [numbers(input, "x")?, numbers(input, "y")?];
            let length = x.length.min(y.length) as usize;
            let shift = input.choose_index(3)?.min(length);
            nullable(Node::new("+s", "item", length - shift, shift, vec![x, y]), input)?
        }
        Points::Lists => {
            let numbers = numbers(input, "item")?;
            lists(input, "item", numbers, true)?
        }
        Points::FixedLists => {
            let numbers = numbers(input, "item")?;
            let length = numbers.length as usize / 2;
            nullable(Node::new("+w:2", "item", length, 0, vec![numbers]), input)?
        }
    };
    node = lists(input, "points", node, false)?;
    if shape.stroke_structs {
        let length = node.length as usize;
        let shift = input.choose_index(2)?.min(length);
        node = nullable(Node::new("+s", "item", length - shift, shift, vec![node]), input)?;
    }
    if shape.words {
        node = lists(input, "item", node, false)?;
    }
    node = lists(input, "strokes", node, false)?;
    if lies {
        tell_lies(&mut node, input)?;
    }
    Ok((shape, node, !lies))
}

fn numbers(input: &mut Unstructured, name: &'static str) -> Result<Node> {
    const FORMATS: [&str; 12] = ["g", "g", "f", "f", "c", "C", "s", "S", "i", "I", "l", "L"];
    let format = *input.choose(&FORMATS)?;
    let length = input.choose_index(CAPACITY - 2)?;
    let mut node = Node::new(format, name, length, input.choose_index(3)?, Vec::new());
    node.misaligned = input.arbitrary::<u8>()? > 240;
    let hostile = input.arbitrary::<u8>()? > 200;
    node.numbers = (0..CAPACITY)
        .map(|_| {
            let value = if hostile { number(input)? } else { f64::from(input.arbitrary::<i8>()?) };
            Ok(held(format, value))
        })
        .collect::<Result<_>>()?;
    nullable(node, input)
}

/// Lists over the elements of a child, mostly all of them. With `pairs`, most lists have two elements.
fn lists(input: &mut Unstructured, name: &'static str, child: Node, pairs: bool) -> Result<Node> {
    let format = if input.arbitrary::<u8>()? & 1 == 0 { "+l" } else { "+L" };
    let (mut offsets, mut end) = (vec![input.choose_index(2)? as i64], 0);
    let most = child.length;
    while offsets.len() <= CAPACITY && end < most {
        let step = input.arbitrary::<u8>()?;
        let step = if pairs && step < 250 { 2 } else { i64::from(step & 3) };
        end = (offsets[offsets.len() - 1] + step).min(most);
        offsets.push(end);
        if input.is_empty() && step == 0 {
            break;
        }
    }
    let count = offsets.len() - 1;
    let shift = input.choose_index(2)?.min(count);
    offsets.resize(CAPACITY + 1, end);
    let mut node = Node::new(format, name, count - shift, shift, vec![child]);
    node.offsets = offsets;
    nullable(node, input)
}

fn nullable(mut node: Node, input: &mut Unstructured) -> Result<Node> {
    if input.arbitrary::<u8>()? > 200 {
        let bits = input.arbitrary::<u32>()?;
        node.nulls = Some(bits | input.arbitrary::<u32>()? | bits << 7);
    }
    Ok(node)
}

/// Elements that the buffers have beyond `taken`.
fn room(taken: i64) -> i64 {
    (CAPACITY as i64 - taken).max(0)
}

fn tell_lies(node: &mut Node, input: &mut Unstructured) -> Result<()> {
    const FORMATS: [&str; 16] =
        ["+l", "+L", "+s", "+w:2", "+w:3", "u", "z", "b", "n", "e", "+vl", "tdD", "", "+w:-1", "+w:", "+us:0"];
    for _ in 0..1 + input.choose_index(3)? {
        let mut target = &mut *node;
        for _ in 0..input.choose_index(6)? {
            if target.children.is_empty() {
                break;
            }
            let child = input.choose_index(target.children.len())?;
            target = &mut target.children[child];
        }
        match input.choose_index(8)? {
            0 => target.length = i64::from(input.arbitrary::<u8>()?) % (room(target.offset) + 1),
            1 => target.offset = i64::from(input.arbitrary::<u8>()?) % (room(target.length) + 1),
            2 => target.null_count = i64::from(input.arbitrary::<i8>()?),
            3 => target.buffers_lie = i64::from(input.arbitrary::<i8>()? % 3),
            4 => target.children_lie = i64::from(input.arbitrary::<i8>()? % 3),
            5 => target.format = *input.choose(&FORMATS)?,
            6 => target.name = *input.choose(&["x", "points", "", "item"])?,
            _ if target.offsets.is_empty() => {}
            _ => {
                let place = input.choose_index(target.offsets.len())?;
                target.offsets[place] = match input.arbitrary::<u8>()? {
                    small @ 0..128 => i64::from(small & 31),
                    128..192 => i64::from(input.arbitrary::<i8>()?),
                    _ => input.arbitrary()?,
                };
            }
        }
    }
    Ok(())
}
