//! Every single changed byte is refused.

use proptest::prelude::*;

use super::*;

/// A document of one bundle, and a byte of it changed.
fn refused_everywhere(kind: &str, bundle: &Value, excepted: &[&str]) {
    let whole = document(&[(kind, bundle.clone())]);
    verify(&whole).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let spans: Vec<_> = excepted
        .iter()
        .map(|part| {
            let at = text.find(part).unwrap();
            at..at + part.len()
        })
        .collect();
    let mut tried = 0;
    for at in 0..whole.len() {
        if spans.iter().any(|span| span.contains(&at)) {
            continue;
        }
        for flip in [0x01, 0x20] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            let accepted = verify(&changed).is_ok();
            assert!(!accepted, "byte {at} of {text:?}");
            tried += 1;
        }
    }
    assert!(tried > 4_000, "{tried}");
}

#[test]
fn no_byte_of_a_builds_bundle_may_change() {
    for kind in [Kind::Dsse, Kind::Intoto, Kind::Rekord] {
        let bundle = WORLD.sigstore.sign(&slsa_1(), &github(), kind, at());
        // What announces a version nothing authenticates; the older form has two of them.
        let media = bundle["mediaType"].as_str().unwrap();
        let stamp = bundle.pointer(STAMP).and_then(Value::as_str);
        let excepted: &[&str] = match kind {
            Kind::Dsse => &[],
            Kind::Intoto => &[media],
            // Looked at by itself below.
            Kind::Rekord => &[stamp.unwrap()],
        };
        refused_everywhere(SLSA_1, &bundle, excepted);
    }
}

const STAMP: &str =
    "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";

/// A timestamp's wrapping (versions, lists of algorithms) is signed by nobody. What is accepted changed
/// says the same as before.
#[test]
fn no_byte_of_a_timestamp_changes_what_it_says() {
    let bundle = WORLD
        .sigstore
        .sign(&slsa_1(), &github(), Kind::Rekord, at());
    let bytes = decoded(bundle.pointer(STAMP).unwrap());
    let mut refused = 0;
    for place in 0..bytes.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut bundle = bundle.clone();
            let mut changed = bytes.clone();
            changed[place] ^= flip;
            *bundle.pointer_mut(STAMP).unwrap() = STANDARD.encode(changed).into();
            match verify(&document(&[(SLSA_1, bundle)])) {
                Ok(verified) => {
                    let claims = verified.provenance().unwrap().claims();
                    assert_eq!(claims.signed_at, at(), "byte {place}");
                }
                Err(_) => refused += 1,
            }
        }
    }
    // Digest, time, attributes and signature are most of it.
    assert!(
        refused > bytes.len() * 2,
        "{refused} of {}",
        bytes.len() * 3
    );
}

#[test]
fn no_byte_of_a_registrys_bundle_may_change() {
    let statement = publish_statement();
    for kind in [Kind::Dsse, Kind::Intoto, Kind::Rekord] {
        let bundle = WORLD
            .sigstore
            .sign_with_key(&statement, &WORLD.key, kind, at());
        let stamp = bundle.pointer(STAMP).and_then(Value::as_str);
        let excepted: Vec<&str> = stamp.into_iter().collect();
        refused_everywhere(PUBLISH, &bundle, &excepted);
    }
}

/// Where the bytes are that are stored in base64.
const BINARY: [&str; 9] = [
    "/dsseEnvelope/payload",
    "/dsseEnvelope/signatures/0/sig",
    "/verificationMaterial/certificate/rawBytes",
    "/verificationMaterial/tlogEntries/0/logId/keyId",
    "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
    "/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
    "/verificationMaterial/tlogEntries/0/inclusionProof/hashes/0",
    "/verificationMaterial/tlogEntries/0/inclusionProof/hashes/1",
    "/verificationMaterial/tlogEntries/0/canonicalizedBody",
];

static BUNDLE: LazyLock<Value> = LazyLock::new(|| built(&slsa_1(), &github()));

#[test]
fn no_decoded_byte_of_certificate_entry_proof_or_payload_may_change() {
    for pointer in BINARY {
        let bytes = decoded(BUNDLE.pointer(pointer).unwrap());
        for at in 0..bytes.len() {
            assert!(!accepts(pointer, at, 0x01), "{pointer} byte {at}");
        }
    }
}

fn accepts(pointer: &str, at: usize, flip: u8) -> bool {
    let mut bundle = BUNDLE.clone();
    let value = bundle.pointer_mut(pointer).unwrap();
    let mut bytes = decoded(value);
    bytes[at] ^= flip;
    *value = STANDARD.encode(bytes).into();
    verify(&document(&[(SLSA_1, bundle)])).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_flip_of_any_decoded_byte_is_refused(
        pointer in prop::sample::select(&BINARY[..]),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let length = decoded(BUNDLE.pointer(pointer).unwrap()).len();
        prop_assert!(!accepts(pointer, at.index(length), flip));
    }

    #[test]
    fn any_release_but_the_signed_one_is_refused(
        name in "[a-z]{1,8}", version in "[0-9]\\.[0-9]\\.[0-9]", byte in 0_usize..64, flip in 1_u8..,
    ) {
        let attestations = Attestations::parse(&document(&[(SLSA_1, BUNDLE.clone())])).unwrap();
        let name = PackageName::parse(&name).unwrap();
        let right = PackageName::parse(NAME).unwrap();
        let mut digest = [7; 64];
        digest[byte] ^= flip;
        let other = Integrity::from_digest(Algorithm::Sha512, &digest).unwrap();
        let whole = integrity();
        let mut subjects = vec![
            Subject { name: &name, version: VERSION, integrity: &whole },
            Subject { name: &right, version: VERSION, integrity: &other },
        ];
        if version != VERSION {
            subjects.push(Subject { name: &right, version: &version, integrity: &whole });
        }
        for subject in subjects {
            let verified = WORLD.verifier.verify(&attestations, &subject, &WORLD.keys);
            prop_assert!(verified.is_err());
        }
    }

    #[test]
    fn anything_at_all_is_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        crate::fuzz::attestations(&WORLD.verifier, &bytes);
        crate::fuzz::bundle(&bytes);
    }

    #[test]
    fn cut_and_spliced_bundles_are_read_without_panic(
        kind in prop::sample::select(&[Kind::Intoto, Kind::Dsse, Kind::Rekord][..]),
        from in any::<prop::sample::Index>(), length in 0_usize..400, with in "[{}\\[\\]\",:a-z0-9]{0,40}",
    ) {
        let bundle = WORLD.sigstore.sign(&slsa_1(), &github(), kind, at());
        let mut bytes = bundle.to_string().into_bytes();
        let from = from.index(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, with.into_bytes());
        crate::fuzz::bundle(&bytes);
    }

    #[test]
    fn cut_and_spliced_documents_are_read_without_panic(
        from in any::<prop::sample::Index>(), length in 0_usize..400, with in "[{}\\[\\]\",:a-z0-9]{0,40}",
    ) {
        let mut bytes = document(&[(SLSA_1, BUNDLE.clone())]);
        let from = from.index(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, with.into_bytes());
        crate::fuzz::attestations(&WORLD.verifier, &bytes);
    }
}
