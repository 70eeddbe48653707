//! A PNG file (RFC 2083): eight bits a colour, each row as its difference from the one above, deflated (RFC 1951) with the
//! fixed codes. A chart is mostly paper, so that is small enough, and asks for no dependency.

/// The file of a picture, three bytes a pixel.
pub(super) fn encode(width: usize, height: usize, rgb: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = Vec::with_capacity(13);
    for size in [width, height] {
        head.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes());
    }
    head.extend_from_slice(&[8, 2, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &head);
    chunk(&mut file, *b"IDAT", &zlib(&rows(width * 3, rgb)));
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    file.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
    let begin = file.len();
    file.extend_from_slice(&kind);
    file.extend_from_slice(content);
    let sum = crc(&file[begin..]);
    file.extend_from_slice(&sum.to_be_bytes());
}

/// Each row as its difference from the row above it, after the number of that filter.
fn rows(stride: usize, rgb: &[u8]) -> Vec<u8> {
    let mut filtered = Vec::with_capacity(rgb.len() + rgb.len() / stride.max(1));
    let mut above = vec![0; stride];
    for row in rgb.chunks_exact(stride.max(1)) {
        filtered.push(2);
        filtered.extend(row.iter().zip(&above).map(|(here, above)| here.wrapping_sub(*above)));
        above.copy_from_slice(row);
    }
    filtered
}

fn crc(bytes: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|byte| {
        (0..8).fold(u32::try_from(byte).unwrap_or_default(), |sum, _| {
            if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 }
        })
    });
    !bytes.iter().fold(u32::MAX, |sum, byte| table[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ (sum >> 8))
}

fn adler(bytes: &[u8]) -> u32 {
    let (one, two) = bytes.iter().fold((1_u32, 0_u32), |(one, two), byte| {
        let one = (one + u32::from(*byte)) % 65_521;
        (one, (two + one) % 65_521)
    });
    two << 16 | one
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    deflate(&mut out, bytes);
    out.extend_from_slice(&adler(bytes).to_be_bytes());
    out
}

/// Bits, the first the lowest of its byte.
struct Bits<'a> {
    out: &'a mut Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn put(&mut self, value: u32, count: u32) {
        self.held |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.held.to_le_bytes()[0]);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// A code is written from its highest bit on.
    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    /// A symbol in the fixed code.
    fn symbol(&mut self, symbol: u32) {
        match symbol {
            0..=143 => self.code(0x30 + symbol, 8),
            144..=255 => self.code(0x190 + symbol - 144, 9),
            256..=279 => self.code(symbol - 256, 7),
            _ => self.code(0xc0 + symbol - 280, 8),
        }
    }

    /// So many bytes, as they stood so far before.
    fn copy(&mut self, length: usize, distance: usize) {
        let (symbol, bits, rest) = length_code(length);
        self.symbol(symbol);
        self.put(rest, bits);
        let (code, bits, rest) = distance_code(distance);
        self.code(code, 5);
        self.put(rest, bits);
    }
}

/// The symbol of a length from 3 to 258, how many bits follow, and what they say.
fn length_code(length: usize) -> (u32, u32, u32) {
    let off = u32::try_from(length - 3).unwrap_or_default();
    match off {
        0..=7 => (257 + off, 0, 0),
        255 => (285, 0, 0),
        _ => {
            let bits = off.ilog2() - 2;
            (257 + 4 * bits + (off >> bits), bits, off & ((1 << bits) - 1))
        }
    }
}

/// The same for a distance from 1 to 32,768.
fn distance_code(distance: usize) -> (u32, u32, u32) {
    let off = u32::try_from(distance - 1).unwrap_or_default();
    if off < 4 {
        return (off, 0, 0);
    }
    let bits = off.ilog2() - 1;
    (2 * bits + (off >> bits), bits, off & ((1 << bits) - 1))
}

const WINDOW: usize = 32 * 1024;
const LONGEST: usize = 258;

fn deflate(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut bits = Bits { out, held: 0, count: 0 };
    // The last block, in the fixed code.
    bits.put(0b011, 3);
    let mut seen = vec![usize::MAX; 1 << 15];
    let mut at = 0;
    while at < bytes.len() {
        let found = bytes.get(at..at + 3).and_then(|three| {
            let hash = (usize::from(three[0]) << 10 ^ usize::from(three[1]) << 5 ^ usize::from(three[2])) & 0x7fff;
            let before = std::mem::replace(&mut seen[hash], at);
            (before != usize::MAX && at - before <= WINDOW).then_some(before)
        });
        let length = found.map_or(0, |before| {
            let most = LONGEST.min(bytes.len() - at);
            (0..most).take_while(|&step| bytes[before + step] == bytes[at + step]).count()
        });
        match found {
            Some(before) if length >= 3 => {
                bits.copy(length, at - before);
                at += length;
            }
            _ => {
                bits.symbol(u32::from(bytes[at]));
                at += 1;
            }
        }
    }
    bits.symbol(256);
    bits.put(0, 7);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_papers() {
        assert_eq!(crc(b"IEND"), 0xae42_6082);
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn lengths_and_distances_have_the_codes_of_the_table() {
        for (length, expected) in [
            (3, (257, 0, 0)),
            (10, (264, 0, 0)),
            (11, (265, 1, 0)),
            (12, (265, 1, 1)),
            (115, (280, 4, 0)),
            (131, (281, 5, 0)),
            (257, (284, 5, 30)),
            (258, (285, 0, 0)),
        ] {
            assert_eq!(length_code(length), expected, "{length}");
        }
        for (distance, expected) in [
            (1, (0, 0, 0)),
            (4, (3, 0, 0)),
            (5, (4, 1, 0)),
            (7, (5, 1, 0)),
            (24_577, (29, 13, 0)),
            (32_768, (29, 13, 8191)),
        ] {
            assert_eq!(distance_code(distance), expected, "{distance}");
        }
    }

    #[test]
    fn python_reads_back_what_was_written() {
        let pixels: Vec<u8> = (0..90_000_u32).map(|at| u8::try_from((at / 7 * at / 1000) % 256).unwrap()).collect();
        let folder = tempfile::tempdir().unwrap();
        let (file, raw) = (folder.path().join("a.png"), folder.path().join("a.raw"));
        std::fs::write(&file, encode(150, 200, &pixels)).unwrap();
        std::fs::write(&raw, &pixels).unwrap();
        let program = "import sys,zlib,struct\n\
            d=open(sys.argv[1],'rb').read(); assert d[:8]==b'\\x89PNG\\r\\n\\x1a\\n'; p=8; idat=b''; kinds=[]\n\
            while p<len(d):\n n,=struct.unpack('>I',d[p:p+4]); k=d[p+4:p+8]; c=d[p+8:p+8+n]; kinds.append(k)\n \
            assert zlib.crc32(k+c)==struct.unpack('>I',d[p+8+n:p+12+n])[0]\n if k==b'IDAT': idat+=c\n p+=12+n\n\
            assert kinds==[b'IHDR',b'IDAT',b'IEND']; r=zlib.decompress(idat); out=bytearray(); above=bytes(450)\n\
            for y in range(200):\n row=r[y*451:(y+1)*451]; assert row[0]==2\n above=bytes((a+b)%256 for a,b in zip(row[1:],above)); out+=above\n\
            assert bytes(out)==open(sys.argv[2],'rb').read(); assert len(d)<len(out)";
        let read = std::process::Command::new("python3").args(["-c", program]).arg(&file).arg(&raw).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    }
}
