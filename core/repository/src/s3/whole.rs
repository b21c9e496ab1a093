//! Whether an answer is a whole document. The SDK's reader takes whatever it finds: a listing that ends between two elements, or has an
//! element without its end, would be a listing of less, and a decision on it one on part of what there is.

use aws_sdk_s3::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use xmlparser::{ElementEnd, Token, Tokenizer};

/// Refuses an answer whose elements don't all end. What streams isn't looked at: an object's bytes have a length.
#[derive(Debug)]
pub(super) struct WholeAnswers;

impl Intercept for WholeAnswers {
    fn name(&self) -> &'static str {
        "WholeAnswers"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response();
        let body = answer.body().bytes().filter(|_| answer.status().is_success()).unwrap_or_default();
        if is_whole(body) { Ok(()) } else { Err("the store's answer is no whole document".into()) }
    }
}

/// Whether every element of an XML document ends, in its place. What isn't one has nothing that could lack.
fn is_whole(body: &[u8]) -> bool {
    let body = body.trim_ascii_start();
    if !body.starts_with(b"<") {
        return true;
    }
    let Ok(text) = std::str::from_utf8(body) else { return false };
    let (mut open, mut has_begun) = (Vec::new(), false);
    for token in Tokenizer::from(text) {
        match token {
            Ok(Token::ElementStart { prefix, local, .. }) => {
                has_begun = true;
                open.push((prefix.as_str(), local.as_str()));
            }
            Ok(Token::ElementEnd { end: ElementEnd::Close(prefix, local), .. }) => {
                if open.pop() != Some((prefix.as_str(), local.as_str())) {
                    return false;
                }
            }
            Ok(Token::ElementEnd { end: ElementEnd::Empty, .. }) => drop(open.pop()),
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    has_begun && open.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/\">\
                           <IsTruncated>false</IsTruncated><Version><Key>a&amp;b</Key></Version><Version><Key>c</Key><Owner/></Version>\
                           </ListVersionsResult>";

    #[test]
    fn a_document_that_ends_before_its_end_is_not_whole() {
        assert!(is_whole(LISTING.as_bytes()) && is_whole(format!("\n {LISTING}\n").as_bytes()));
        let whole: Vec<usize> =
            (1..LISTING.len()).filter(|length| is_whole(LISTING.split_at(*length).0.as_bytes())).collect();
        assert_eq!(whole, Vec::<usize>::new());
    }

    #[test]
    fn an_element_whose_end_was_spoilt_is_noticed() {
        for (from, to) in
            [("</Version><", "</Vdrsion><"), ("<Key>c", ">Key>c"), ("</Key></V", "<?Key></V"), ("<Owner/>", "<Owner>")]
        {
            assert!(LISTING.contains(from) && !is_whole(LISTING.replacen(from, to, 1).as_bytes()), "{to}");
        }
    }

    #[test]
    fn what_is_no_document_is_left_to_the_reader() {
        for other in ["", "  \n", "{}", "not XML", "<LocationConstraint/>", "<html><body></body></html>"] {
            assert!(is_whole(other.as_bytes()), "{other}");
        }
    }
}
