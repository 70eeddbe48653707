//! Reading a header that may say anything.

use super::storage::Storage;
use super::{ALIGNMENT, Encoding, GgufError, MAGIC};

/// More keys or tensors than any real model has.
const MOST_ENTRIES: u64 = 1 << 13;
/// A longer key or name is a mistake.
const LONGEST_NAME: u64 = 1 << 12;
/// How much of the file is read at a time.
const WINDOW: usize = 1 << 16;

/// What stands before the tensors.
#[derive(Debug)]
pub struct Header {
    /// Keys and values, in the order of the file.
    pub metadata: Vec<(String, Value)>,
    /// All tensors, in the order of the file.
    pub tensors: Vec<TensorEntry>,
}

/// A value of the metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Any whole number that is not negative.
    Whole(u64),
    /// A negative one.
    Negative(i64),
    /// A floating point number.
    Number(f64),
    /// Yes or no.
    Bool(bool),
    /// A text.
    Text(String),
    /// Many texts.
    Texts(Strings),
    /// Many of anything else; none of them is used.
    Others {
        /// How many.
        count: u64,
    },
}

/// Many texts, kept as the file has them: a vocabulary is long, and often not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strings {
    count: usize,
    /// Each with its length in eight bytes before it; checked.
    bytes: Vec<u8>,
}

impl Strings {
    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk()?;
            let (text, after) = after.split_at_checked(u64::from_le_bytes(*length) as usize)?;
            rest = after;
            Some(text)
        })
    }
}

/// Where a tensor is and what it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorEntry {
    /// Its name.
    pub name: String,
    /// Length of a row.
    pub columns: usize,
    /// Number of rows; 1 for a vector.
    pub rows: usize,
    /// How its numbers are stored.
    pub encoding: Encoding,
    /// Where its first byte is in the file.
    pub offset: u64,
}

impl TensorEntry {
    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        (self.encoding.row_bytes(self.columns) as u64).saturating_mul(self.rows as u64)
    }
}

impl Header {
    /// Reads the header of a file and checks every claim in it.
    pub fn read<S: Storage>(storage: &S) -> Result<Self, GgufError> {
        let mut cursor = Cursor { storage, length: storage.length()?, offset: 0, window: Vec::new(), window_start: 0 };
        if cursor.length < 4 || cursor.array::<4>()? != MAGIC {
            return Err(GgufError::Unsupported("this is no GGUF file: its first four letters are others".into()));
        }
        let version = cursor.u32()?;
        if !(2..=3).contains(&version) {
            return Err(GgufError::Unsupported(format!("version {version} of GGUF; versions 2 and 3 can be read")));
        }
        let tensor_count = cursor.count("tensors", MOST_ENTRIES)?;
        let key_count = cursor.count("keys", MOST_ENTRIES)?;
        let mut metadata: Vec<(String, Value)> = Vec::new();
        for _ in 0..key_count {
            let key = cursor.text(LONGEST_NAME)?;
            if metadata.iter().any(|(known, _)| *known == key) {
                return Err(cursor.malformed(format!("the key {key:?} stands there twice")));
            }
            let kind = cursor.u32()?;
            metadata.push((key, cursor.value(kind)?));
        }
        let mut tensors = Vec::new();
        for _ in 0..tensor_count {
            tensors.push(cursor.tensor()?);
        }
        let mut header = Self { metadata, tensors };
        header.place_tensors(cursor.offset, cursor.length)?;
        Ok(header)
    }

    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.metadata.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The tensor of a name.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&TensorEntry> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// Turns offsets that count from the end of the header into places in the file, and checks that each tensor lies in the
    /// file, at an aligned place, on no other's bytes, with a name of its own.
    fn place_tensors(&mut self, header_end: u64, length: u64) -> Result<(), GgufError> {
        let malformed = |offset, what| Err(GgufError::Malformed { offset, what });
        let alignment = match self.value("general.alignment") {
            None => ALIGNMENT,
            Some(Value::Whole(alignment)) if alignment.is_power_of_two() && *alignment <= 1 << 20 => *alignment,
            Some(other) => return malformed(header_end, format!("an alignment of {other:?}")),
        };
        let start = header_end.next_multiple_of(alignment);
        for tensor in &mut self.tensors {
            let place = start.checked_add(tensor.offset).filter(|_| tensor.offset.is_multiple_of(alignment));
            let end = place.and_then(|place| place.checked_add(tensor.bytes()));
            match (place, end) {
                (Some(place), Some(end)) if end <= length => tensor.offset = place,
                _ => {
                    let (name, offset, bytes) = (&tensor.name, tensor.offset, tensor.bytes());
                    let what =
                        format!("tensor {name:?} is to have {bytes} bytes at {offset}, outside the file or askew");
                    return malformed(header_end, what);
                }
            }
        }
        let mut by_place: Vec<&TensorEntry> = self.tensors.iter().collect();
        by_place.sort_by_key(|tensor| (tensor.offset, tensor.bytes()));
        for pair in by_place.windows(2) {
            if pair[0].offset + pair[0].bytes() > pair[1].offset {
                let what = format!("tensors {:?} and {:?} overlap", pair[0].name, pair[1].name);
                return malformed(pair[1].offset, what);
            }
        }
        let mut by_name: Vec<&str> = self.tensors.iter().map(|tensor| &*tensor.name).collect();
        by_name.sort_unstable();
        if let Some([name, ..]) = by_name.windows(2).find(|pair| pair[0] == pair[1]) {
            return malformed(header_end, format!("the tensor {name:?} stands there twice"));
        }
        Ok(())
    }
}

/// A place in the file that moves forward.
struct Cursor<'a, S> {
    storage: &'a S,
    length: u64,
    offset: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl<S: Storage> Cursor<'_, S> {
    fn malformed(&self, what: String) -> GgufError {
        GgufError::Malformed { offset: self.offset, what }
    }

    /// Fails unless so many bytes are left; whatever is allocated is hence never larger than the file.
    fn need(&self, bytes: u64) -> Result<(), GgufError> {
        if bytes <= self.length - self.offset {
            return Ok(());
        }
        Err(self.malformed(format!("{bytes} bytes should follow, but only {} do", self.length - self.offset)))
    }

    fn fill(&mut self, out: &mut [u8]) -> Result<(), GgufError> {
        self.need(out.len() as u64)?;
        if out.len() > WINDOW {
            self.storage.read_at(self.offset, out)?;
        } else {
            let end = self.window_start + self.window.len() as u64;
            if self.offset < self.window_start || self.offset + out.len() as u64 > end {
                self.window.resize((self.length - self.offset).min(WINDOW as u64) as usize, 0);
                self.window_start = self.offset;
                self.storage.read_at(self.offset, &mut self.window)?;
            }
            let start = (self.offset - self.window_start) as usize;
            out.copy_from_slice(&self.window[start..start + out.len()]);
        }
        self.offset += out.len() as u64;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn count(&mut self, what: &str, most: u64) -> Result<u64, GgufError> {
        let count = self.u64()?;
        if count > most {
            return Err(self.malformed(format!("{count} {what}; no model has more than {most}")));
        }
        Ok(count)
    }

    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, GgufError> {
        self.need(length)?;
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn text(&mut self, longest: u64) -> Result<String, GgufError> {
        let length = self.u64()?;
        if length > longest {
            return Err(self.malformed(format!("a text of {length} bytes where {longest} are already too many")));
        }
        let bytes = self.bytes(length)?;
        String::from_utf8(bytes).map_err(|_| self.malformed("a text that is not UTF-8".into()))
    }

    fn value(&mut self, kind: u32) -> Result<Value, GgufError> {
        let signed = |value: i64| u64::try_from(value).map_or(Value::Negative(value), Value::Whole);
        Ok(match kind {
            0 => Value::Whole(u64::from(self.array::<1>()?[0])),
            1 => signed(i64::from(i8::from_le_bytes(self.array()?))),
            2 => Value::Whole(u64::from(u16::from_le_bytes(self.array()?))),
            3 => signed(i64::from(i16::from_le_bytes(self.array()?))),
            4 => Value::Whole(u64::from(self.u32()?)),
            5 => signed(i64::from(i32::from_le_bytes(self.array()?))),
            6 => Value::Number(f64::from(f32::from_le_bytes(self.array()?))),
            7 => Value::Bool(self.array::<1>()?[0] != 0),
            8 => Value::Text(self.text(self.length)?),
            9 => self.many()?,
            10 => Value::Whole(self.u64()?),
            11 => signed(i64::from_le_bytes(self.array()?)),
            12 => Value::Number(f64::from_le_bytes(self.array()?)),
            _ => return Err(self.malformed(format!("a value of kind {kind}, which there is not"))),
        })
    }

    fn many(&mut self) -> Result<Value, GgufError> {
        let kind = self.u32()?;
        let count = self.u64()?;
        let size = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            8 => return self.texts(count),
            _ => return Err(self.malformed(format!("a list of kind {kind}, which is not read"))),
        };
        let bytes = count.saturating_mul(size);
        self.need(bytes)?;
        self.offset += bytes;
        Ok(Value::Others { count })
    }

    fn texts(&mut self, count: u64) -> Result<Value, GgufError> {
        self.need(count.saturating_mul(8))?;
        let mut bytes = Vec::new();
        for _ in 0..count {
            let length = self.array::<8>()?;
            let text_length = u64::from_le_bytes(length);
            self.need(text_length)?;
            bytes.extend_from_slice(&length);
            let start = bytes.len();
            bytes.resize(start + text_length as usize, 0);
            self.fill(&mut bytes[start..])?;
        }
        Ok(Value::Texts(Strings { count: count as usize, bytes }))
    }

    fn tensor(&mut self) -> Result<TensorEntry, GgufError> {
        let name = self.text(LONGEST_NAME)?;
        let dimensions = self.u32()?;
        if !(1..=2).contains(&dimensions) {
            return Err(self.malformed(format!("tensor {name:?} with {dimensions} dimensions instead of 1 or 2")));
        }
        let columns = self.u64()?;
        let rows = if dimensions == 2 { self.u64()? } else { 1 };
        // Far more than any model's, and far from overflow when multiplied.
        if !(1..=1 << 30).contains(&columns) || !(1..=1 << 30).contains(&rows) {
            return Err(self.malformed(format!("tensor {name:?} of {rows} rows by {columns} columns")));
        }
        let code = self.u32()?;
        let Some(encoding) = Encoding::from_code(code) else {
            return Err(GgufError::Unsupported(format!(
                "tensor {name:?} is stored in form {code}; F32 (0), F16 (1) and Q8_0 (8) can be read, and llama-quantize \
                 makes them"
            )));
        };
        if encoding == Encoding::Q8 && !columns.is_multiple_of(crate::q8::BLOCK as u64) {
            return Err(self.malformed(format!("tensor {name:?} has rows of {columns}, no whole number of blocks")));
        }
        let offset = self.u64()?;
        Ok(TensorEntry { name, columns: columns as usize, rows: rows as usize, encoding, offset })
    }
}
