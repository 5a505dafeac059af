//! As much of DER as certificates need, written only.

/// A value with its tag and length.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = u32::try_from(content.len()).expect("a certificate is small");
    match length {
        0..=0x7f => out.push(length as u8),
        0x80..=0xff => out.extend([0x81, length as u8]),
        0x100..=0xffff => {
            out.push(0x82);
            out.extend((length as u16).to_be_bytes());
        }
        _ => panic!("a certificate is small"),
    }
    out.extend(content);
    out
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(super) fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x31, &parts.concat())
}

pub(super) fn octets(content: &[u8]) -> Vec<u8> {
    tlv(0x04, content)
}

pub(super) fn text(content: &str) -> Vec<u8> {
    tlv(0x0c, content.as_bytes())
}

pub(crate) fn truth() -> Vec<u8> {
    tlv(0x01, &[0xff])
}

/// A positive integer of big-endian bytes.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut content = bytes.to_vec();
    if content.first().is_none_or(|first| *first >= 0x80) {
        content.insert(0, 0);
    }
    tlv(0x02, &content)
}

/// A string of whole bytes, or of bits with some unused at its end.
pub(crate) fn bits(unused: u8, content: &[u8]) -> Vec<u8> {
    let mut all = vec![unused];
    all.extend(content);
    tlv(0x03, &all)
}

/// An object identifier in dotted form.
pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted
        .split('.')
        .map(|arc| arc.parse().expect("an object identifier"))
        .collect();
    let mut content = vec![(arcs[0] * 40 + arcs[1]) as u8];
    for arc in &arcs[2..] {
        let mut groups = vec![(arc & 0x7f) as u8];
        let mut rest = arc >> 7;
        while rest > 0 {
            groups.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        groups.reverse();
        content.extend(groups);
    }
    tlv(0x06, &content)
}

/// A time before 2050.
pub(super) fn time(at: jiff::Timestamp) -> Vec<u8> {
    let written = at.strftime("%y%m%d%H%M%SZ").to_string();
    tlv(0x17, written.as_bytes())
}

/// A time of any year.
pub(super) fn generalized(at: jiff::Timestamp) -> Vec<u8> {
    let written = at.strftime("%Y%m%d%H%M%SZ").to_string();
    tlv(0x18, written.as_bytes())
}
