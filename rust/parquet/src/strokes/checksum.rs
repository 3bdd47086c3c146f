//! CRC-32, which some pages have.

const POLYNOMIAL: u32 = 0xedb8_8320;

/// Checksums of the bytes that are followed by up to seven zeros.
const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// The checksum of bytes.
pub fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = !0;
    let (groups, rest) = bytes.as_chunks::<8>();
    for group in groups {
        let mixed = u64::from_le_bytes(*group) ^ u64::from(sum);
        sum = mixed
            .to_le_bytes()
            .iter()
            .zip(TABLES.iter().rev())
            .fold(0, |sum, (byte, table)| sum ^ table[*byte as usize]);
    }
    !rest.iter().fold(sum, |sum, byte| (sum >> 8) ^ TABLES[0][((sum ^ u32::from(*byte)) & 0xff) as usize])
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn known_checksums() {
        assert_eq!(checksum(b""), 0);
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b"The quick brown fox jumps over the lazy dog"), 0x414f_a339);
    }
}
