//! Frames of JSON.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{IntoFrame, Message};

/// A value as a frame of JSON. Feature `json`.
///
/// ```
/// use std::collections::BTreeMap;
/// use ferromq::{Json, Message};
///
/// let weather = BTreeMap::from([("berlin", 21.5), ("oslo", 14.0)]);
/// let message = Message::from(("weather", Json::new(&weather)?));
/// assert_eq!(message.text(1), Some(r#"{"berlin":21.5,"oslo":14.0}"#));
/// let received: BTreeMap<String, f64> = message.json(1)?;
/// assert_eq!(received["oslo"], 14.0);
/// # Ok::<_, ferromq::JsonError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(Bytes);

/// Why a value is no JSON, or a frame not the JSON that was wanted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The message has no such frame.
    #[error("the message has {frames} frames, and none at {index}")]
    NoFrame {
        /// The index that was asked for.
        index: usize,
        /// How many there are.
        frames: usize,
    },
    /// The value cannot be written, or the frame is not such a value.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Json {
    /// Writes a value.
    ///
    /// # Errors
    /// When JSON cannot say it: a map whose keys are no text, say.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        Ok(Self(serde_json::to_vec(value)?.into()))
    }
}

impl IntoFrame for Json {
    fn into_frame(self) -> Bytes {
        self.0
    }
}

impl Message {
    /// The value in the frame at `index`, which is JSON. Feature `json`.
    ///
    /// There is an example at [`Json`].
    ///
    /// # Errors
    /// When there is no such frame, or it is not such a value. What a peer sends is its own
    /// choice.
    pub fn json<T: DeserializeOwned>(&self, index: usize) -> Result<T, JsonError> {
        let frame = self.get(index).ok_or(JsonError::NoFrame { index, frames: self.len() })?;
        Ok(serde_json::from_slice(frame)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_there_and_back_and_nonsense_is_an_error() {
        let message = Message::from(("topic", Json::new(&("text", [1, 2])).expect("it is JSON")));
        let (text, numbers): (String, Vec<u8>) = message.json(1).expect("it is that");
        assert_eq!((&*text, &numbers[..]), ("text", &[1, 2][..]));
        assert!(matches!(message.json::<u8>(1), Err(JsonError::Json(_))));
        let error = message.json::<u8>(2).expect_err("there are two");
        assert_eq!(error.to_string(), "the message has 2 frames, and none at 2");
        let unsayable = std::collections::BTreeMap::from([(("a", "pair"), 1)]);
        assert!(matches!(Json::new(&unsayable), Err(JsonError::Json(_))));
    }
}
