//! The language that a call is answered in.

use tonic::{
    Request, Response,
    metadata::{MetadataMap, MetadataValue},
};
use wording::{Language, Words, negotiate};

const ASKED: &str = "accept-language";
const ANSWERED: &str = "content-language";

/// In which language to answer, and whether the call said so.
#[derive(Clone, Copy)]
pub(crate) struct Tongue {
    /// The words of that language.
    pub(crate) words: &'static Words,
    is_asked: bool,
}

impl Tongue {
    /// Reads the `accept-language` of a call. Several are as good as one.
    pub(crate) fn of<T>(request: &Request<T>) -> Self {
        Self::read(request.metadata())
    }

    fn read(metadata: &MetadataMap) -> Self {
        let asked: Vec<&str> = metadata.get_all(ASKED).iter().filter_map(|value| value.to_str().ok()).collect();
        let language = if asked.is_empty() { Language::default() } else { negotiate(&asked.join(",")) };
        Self { words: Words::of(language), is_asked: !asked.is_empty() }
    }

    /// The words for what is told only to those who say in which language.
    pub(crate) fn if_asked(self) -> Option<&'static Words> {
        self.is_asked.then_some(self.words)
    }

    /// Lets others go first after an assessment of many, if it was told: that takes some hundred microseconds.
    pub(crate) async fn rest(self) {
        if self.is_asked {
            tokio::task::yield_now().await;
        }
    }

    /// Answers, and says in which language.
    pub(crate) fn answer<T>(self, message: T) -> Response<T> {
        let mut response = Response::new(message);
        let code = MetadataValue::from_static(self.words.language().code());
        response.metadata_mut().insert(ANSWERED, code);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(values: &[&str]) -> Tongue {
        let mut request = Request::new(());
        for value in values {
            request.metadata_mut().append(ASKED, value.parse().unwrap());
        }
        Tongue::of(&request)
    }

    #[test]
    fn the_answer_says_its_language() {
        for (asked, code) in [(&["hu"][..], "hu"), (&["de", "pt-BR;q=0.1"], "pt"), (&["tlh"], "en"), (&[], "en")] {
            let tongue = asking(asked);
            let response = tongue.answer(());
            assert_eq!(response.metadata().get(ANSWERED).unwrap().to_str().unwrap(), code);
            assert_eq!(tongue.if_asked().is_some(), !asked.is_empty());
        }
    }
}
