//! Reading a document's body, decoded, within a limit.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use reqwest::Response;
use url::Url;

use crate::UpstreamError;
use crate::error::{shown, sort};

/// Bytes that may grow up to a limit.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Limited {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if more.len() > self.limit.saturating_sub(self.bytes.len()) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Decoder {
    Identity(Limited),
    Gzip(Box<MultiGzDecoder<Limited>>),
}

impl Decoder {
    fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        match self {
            Self::Identity(target) => target.write_all(chunk),
            Self::Gzip(decoder) => decoder.write_all(chunk),
        }
    }

    /// For gzip this also checks that the end was reached.
    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity(target) => Ok(target.bytes),
            Self::Gzip(mut decoder) => {
                decoder.try_finish()?;
                Ok(decoder.finish()?.bytes)
            }
        }
    }
}

/// Most bytes set aside because an upstream announced that many. Larger bodies grow as they come.
const BELIEVED: usize = 16 << 20;

/// Reads the whole body. It is decoded piece by piece as it comes, so that neither a flood nor a
/// bomb gets further than the limit.
pub(crate) async fn read(
    url: &Url,
    mut response: Response,
    limit: u64,
) -> Result<Bytes, UpstreamError> {
    let broken = |why: String| UpstreamError::Body {
        url: shown(url),
        why,
    };
    let limit_here = usize::try_from(limit).unwrap_or(usize::MAX);
    // Grown step by step, a document of megabytes is copied as often as its length doubles.
    let announced = response.content_length().unwrap_or(0);
    let announced = usize::try_from(announced).unwrap_or(usize::MAX);
    let target = Limited {
        bytes: Vec::with_capacity(announced.min(limit_here).min(BELIEVED)),
        limit: limit_here,
    };
    let encoding = response.headers().get(CONTENT_ENCODING).cloned();
    let encoding = encoding.as_ref().map_or(&b""[..], |value| value.as_bytes());
    let mut decoder = match encoding.to_ascii_lowercase().trim_ascii() {
        b"" | b"identity" => Decoder::Identity(target),
        b"gzip" | b"x-gzip" => Decoder::Gzip(Box::new(MultiGzDecoder::new(target))),
        other => {
            let encoding = weir_model::finding::printable(&String::from_utf8_lossy(other), 60);
            let url = shown(url);
            return Err(UpstreamError::Encoded { url, encoding });
        }
    };
    let sorted = |error: io::Error| match error.kind() {
        io::ErrorKind::FileTooLarge => UpstreamError::TooLarge {
            url: shown(url),
            limit,
        },
        _ => broken(error.to_string()),
    };
    while let Some(chunk) = response.chunk().await.map_err(|error| sort(url, error))? {
        decoder.write(&chunk).map_err(sorted)?;
    }
    Ok(decoder.finish().map_err(sorted)?.into())
}
