//! Several things at the same time, on the task that waits for them.

use std::pin::Pin;
use std::task::Poll;

/// One of them.
pub(crate) type One<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Waits for all of them; what each comes to, in their order.
pub(crate) async fn all<T>(mut futures: Vec<One<'_, T>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, done) in futures.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(outcome) => *done = Some(outcome),
                Poll::Pending => pending = true,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[tokio::test]
    async fn all_are_waited_for_at_the_same_time_and_keep_their_order() {
        let began = Instant::now();
        let wait = |millis: u64| -> One<'static, u64> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                millis
            })
        };
        assert_eq!(all(vec![wait(120), wait(10), wait(100)]).await, [120, 10, 100]);
        assert!(began.elapsed() < Duration::from_millis(225));
        assert_eq!(all(Vec::<One<'_, ()>>::new()).await, Vec::<()>::new());
    }
}
