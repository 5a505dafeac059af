use super::*;

fn program_for_windows() -> Vec<u8> {
    let mut bytes = vec![0; 512];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
    bytes
}

fn at(offset: usize, what: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; offset + 64];
    bytes[offset..offset + what.len()].copy_from_slice(what);
    bytes
}

#[test]
fn formats_are_told_by_their_bytes() {
    use BinaryFormat::*;
    let asar = [&[4, 0, 0, 0][..], &[1; 12], b"{\"files\":{}}"].concat();
    for (bytes, expected) in [
        (b"\x7fELF\x02\x01\x01".to_vec(), Some(Elf)),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01".to_vec(), Some(MachO)),
        (b"\xca\xfe\xba\xbe\0\0\0\x02".to_vec(), Some(MachO)),
        (b"\xca\xfe\xba\xbe\0\0\0\x34".to_vec(), Some(JavaClass)),
        (program_for_windows(), Some(Pe)),
        (b"MZ is how this text begins".to_vec(), None),
        (b"\0asm\x01\0\0\0".to_vec(), Some(Wasm)),
        (b"PK\x03\x04\x14\0".to_vec(), Some(Archive)),
        (b"\x1f\x8b\x08\0".to_vec(), Some(Archive)),
        (b"\xfd7zXZ\0\0".to_vec(), Some(Archive)),
        (b"7z\xbc\xaf\x27\x1c\0".to_vec(), Some(Archive)),
        (at(257, b"ustar\0"), Some(Archive)),
        (at(257, b"ustar in a text"), None),
        (asar, Some(Archive)),
        (
            b"\x33\x0d\x0d\x0a\0\0\0\0\0\0\0\0\0\0\0\0\xe3".to_vec(),
            Some(PythonBytecode),
        ),
        (b"3\r\r\n is a number".to_vec(), None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), None),
        (Vec::new(), None),
    ] {
        let found = recognise("assets/thing", &bytes).map(|found| found.format);
        assert_eq!(found, expected, "{:?}", bytes.get(..8));
    }
}

#[test]
fn names_that_promise_something_else_are_disguises() {
    let elf = b"\x7fELF\x02\x01\x01";
    for (path, disguise, usual) in [
        ("lib/a.js", Some(".js"), false),
        ("logo.PNG", Some(".png"), false),
        ("LICENSE", Some("LICENSE"), false),
        ("docs/README", Some("README"), false),
        ("bin/esbuild", None, true),
        ("tools/helper", None, false),
        ("helper.exe", None, false),
        ("prebuilds/linux-x64/a.node", None, true),
        ("build/Release/a.so", None, true),
        ("lib/binding/a.so", None, true),
        ("build/a.so", None, false),
        ("a.node", None, true),
        ("prebuilds/a.txt", Some(".txt"), true),
    ] {
        let found = recognise(path, elf).unwrap();
        assert_eq!(
            (found.disguise.as_deref(), found.usual_place),
            (disguise, usual),
            "{path}"
        );
    }
}

#[test]
fn code_that_is_no_text_is_told_from_code_in_old_encodings() {
    let latin =
        b"// caf\xe9 au lait, na\xefve\nmodule.exports = function (a, b) { return a + b; };\n";
    let mut random = Vec::new();
    for number in 0..400_u32 {
        random.push((number.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80);
    }
    for (path, bytes, expected) in [
        ("index.js", &latin[..], None),
        // Eleven of these twenty bytes are letters of Latin-1, none of them control characters of it.
        (
            "words.js",
            b"\xe0\xe9\xee\xf5\xfc\xdf\xc4\xd6\xdc\xe5\xf8 = 'text';",
            None,
        ),
        (
            "words.js",
            b"\xe0\xe9\xee\xf5\xfc\xdf\xc4\xd6\xdc\x85\xf8 = 'text';",
            Some(BinaryFormat::NotText),
        ),
        ("index.js", b"\0\0\0\0compiled", Some(BinaryFormat::NotText)),
        ("index.js", b"// all but \0\nmodule.exports = 1;\n", None),
        ("index.mjs", &random[..], Some(BinaryFormat::NotText)),
        ("notes.txt", &random[..], None),
        ("setup.ps1", b"\xff\xfeW\0r\0i\0t\0e\0", None),
        (
            "index.js",
            "// 日本語の説明\nexports.a = 1".as_bytes(),
            None,
        ),
        ("index.js", b"", None),
    ] {
        let found = recognise(path, bytes);
        assert_eq!(found.map(|found| found.format), expected, "{path}");
    }
}

#[test]
fn programs_behind_a_few_bytes_are_disguised() {
    let elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0";
    let behind = |front: &[u8], program: &[u8]| [front, program].concat();
    let windows = program_for_windows();
    for (bytes, expected) in [
        (behind(b"\0\0\0\x01", elf), Some(BinaryFormat::Elf)),
        (behind(b"junk", elf), Some(BinaryFormat::Elf)),
        (behind(&[7; 64], elf), Some(BinaryFormat::Elf)),
        (behind(b"\x01", &windows), Some(BinaryFormat::Pe)),
        (behind(&[7; 80], elf), None),
        (behind(b"\0\0\0\x01", b"\x7fELF has a header"), None),
        (behind(b"of ", b"\x7fELF\x09\x01\x01\0\0"), None),
        (behind(b"\0\0", b"MZ\0\0"), None),
    ] {
        let found = recognise("model.bin", &bytes);
        let format = found.as_ref().map(|found| found.format);
        assert_eq!(format, expected, "{:?}", bytes.get(..8));
        assert!(found.is_none_or(|found| found.disguise.is_some()));
    }
}
