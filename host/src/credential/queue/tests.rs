use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::Poll;

use proptest::prelude::*;

use super::*;

const MIB: usize = 1 << 20;

fn queue(running: usize, waiting: usize) -> PasswordQueue {
    PasswordQueue::new(QueueBounds {
        running,
        waiting,
        wait: Duration::from_mins(1),
        memory: 64 * MIB,
    })
}

fn realm() -> Realm {
    "acme".into()
}

/// Polls once; a check that got a place is then running or waiting.
async fn begin<F: Future + Unpin>(check: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *check).poll(cx))).await
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_serves_the_others_in_turn() {
    let (queue, realm) = (queue(1, 1), realm());
    let (release, released) = mpsc::channel::<()>();
    let mut first = pin!(queue.run(&realm, 0, move || released.recv().is_ok()));
    let mut second = pin!(queue.run(&realm, 0, || "second"));
    assert!(begin(&mut first).await.is_pending());
    assert!(begin(&mut second).await.is_pending());

    let third = queue.run(&realm, 0, || ()).await;
    assert_eq!(third, Err(VerifyError::Overloaded));

    release.send(()).unwrap();
    assert_eq!(first.await, Ok(true));
    assert_eq!(second.await, Ok("second"));
    assert_eq!(queue.run(&realm, 0, || "again").await, Ok("again"));
    assert!(queue.0.lock().realms.is_empty(), "nothing is kept of it");
}

#[tokio::test]
async fn one_who_leaves_while_waiting_frees_the_place() {
    let (queue, realm) = (queue(1, 1), realm());
    let (release, released) = mpsc::channel::<()>();
    let mut first = pin!(queue.run(&realm, 0, move || released.recv().is_ok()));
    assert!(begin(&mut first).await.is_pending());
    {
        let mut second = pin!(queue.run(&realm, 0, || ()));
        assert!(begin(&mut second).await.is_pending());
    }
    let mut third = pin!(queue.run(&realm, 0, || "third"));
    assert!(begin(&mut third).await.is_pending());
    release.send(()).unwrap();
    assert_eq!(third.await, Ok("third"));
}

#[tokio::test]
async fn one_who_leaves_while_running_keeps_the_turn_until_the_end() {
    let (queue, realm) = (queue(1, 1), realm());
    let (release, released) = mpsc::channel::<()>();
    {
        let mut first = pin!(queue.run(&realm, 0, move || released.recv().is_ok()));
        assert!(begin(&mut first).await.is_pending());
    }
    let mut second = pin!(queue.run(&realm, 0, || "second"));
    assert!(begin(&mut second).await.is_pending());
    release.send(()).unwrap();
    assert_eq!(second.await, Ok("second"));
}

#[tokio::test]
async fn nobody_waits_longer_than_they_may() {
    let wait = Duration::from_millis(10);
    let queue = PasswordQueue::new(QueueBounds {
        running: 1,
        waiting: 8,
        wait,
        memory: MIB,
    });
    let realm = realm();
    let held = queue.turn(&realm, 0).await.unwrap();
    assert_eq!(
        queue.run(&realm, 0, || ()).await,
        Err(VerifyError::Late(wait))
    );
    drop(held);
    assert!(queue.turn(&realm, 0).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_run_than_have_turns() {
    let queue = queue(2, 200);
    let running = Arc::new(AtomicUsize::new(0));
    let checks: Vec<_> = (0..100)
        .map(|_| {
            let (queue, running) = (queue.clone(), Arc::clone(&running));
            tokio::spawn(async move {
                queue
                    .run(&realm(), 0, move || {
                        let at_once = running.fetch_add(1, Ordering::SeqCst) + 1;
                        std::thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                        at_once
                    })
                    .await
            })
        })
        .collect();
    for check in checks {
        assert!(check.await.unwrap().unwrap() <= 2);
    }
}

#[tokio::test]
async fn a_panic_in_the_work_frees_its_place() {
    let (queue, realm) = (queue(1, 0), realm());
    assert_eq!(
        queue.run(&realm, 0, || panic!("broken")).await,
        Err::<(), _>(VerifyError::Stopped)
    );
    assert_eq!(queue.run(&realm, 0, || "next").await, Ok("next"));
}

/// Who waits in a queue where one realm has many, and in which order their turns come.
struct Order {
    queue: PasswordQueue,
    served: Arc<Mutex<Vec<(Realm, usize)>>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Order {
    fn in_queue(queue: &PasswordQueue) -> Self {
        Self {
            queue: queue.clone(),
            served: Arc::default(),
            tasks: Vec::new(),
        }
    }

    /// Returns when it waits.
    async fn wait(&mut self, realm: &str, number: usize) {
        let before = self.queue.0.lock().waiting;
        let (queue, served) = (self.queue.clone(), Arc::clone(&self.served));
        let realm = Realm::from(realm);
        self.tasks.push(tokio::spawn(async move {
            let turn = queue.turn(&realm, 0).await.unwrap();
            served.lock().push((realm, number));
            drop(turn);
        }));
        while self.queue.0.lock().waiting == before {
            tokio::task::yield_now().await;
        }
    }

    async fn served(self) -> Vec<String> {
        for task in self.tasks {
            task.await.unwrap();
        }
        let served = self.served.lock();
        let served = served
            .iter()
            .map(|(realm, number)| format!("{realm}{number}"));
        served.collect()
    }
}

/// T11: a realm that floods the queue waits for itself.
#[tokio::test]
async fn t11_realms_take_turns_however_many_checks_one_has() {
    let queue = queue(1, 256);
    let held = queue.turn(&realm(), 0).await.unwrap();
    let mut order = Order::in_queue(&queue);
    for number in 1..=4 {
        order.wait("a", number).await;
    }
    order.wait("b", 1).await;
    order.wait("c", 1).await;
    order.wait("b", 2).await;
    drop(held);
    let served = order.served().await;
    assert_eq!(served, ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
}

#[tokio::test]
async fn t11_no_realm_takes_more_than_half_of_the_places() {
    let queue = queue(1, 8);
    let (flood, other) = (realm(), Realm::from("other"));
    let _held = queue.turn(&flood, 0).await.unwrap();
    let mut order = Order::in_queue(&queue);
    for number in 0..4 {
        order.wait(flood.as_str(), number).await;
    }
    assert_eq!(
        queue.turn(&flood, 0).await.unwrap_err(),
        VerifyError::Overloaded
    );
    let mut others = pin!(queue.turn(&other, 0));
    assert!(begin(&mut others).await.is_pending(), "it has a place");
}

#[tokio::test]
async fn while_others_wait_no_realm_runs_more_than_half() {
    let queue = queue(4, 8);
    let (flood, other) = (realm(), Realm::from("other"));
    let mut running = Vec::new();
    for _ in 0..4 {
        // Alone it may have all.
        running.push(queue.turn(&flood, 0).await.unwrap());
    }
    let mut again = pin!(queue.turn(&flood, 0));
    let mut others = pin!(queue.turn(&other, 0));
    let mut others_second = pin!(queue.turn(&other, 0));
    assert!(begin(&mut again).await.is_pending());
    assert!(begin(&mut others).await.is_pending());
    assert!(begin(&mut others_second).await.is_pending());
    running.pop();
    assert!(begin(&mut again).await.is_pending());
    assert!(begin(&mut others).await.is_ready());
}

#[tokio::test]
async fn those_that_run_have_no_more_memory_than_they_may() {
    let (queue, realm) = (queue(4, 8), realm());
    // One alone may have more than all may have together.
    let large = queue.turn(&realm, 128 * MIB).await.unwrap();
    let mut second = pin!(queue.turn(&realm, 40 * MIB));
    assert!(begin(&mut second).await.is_pending());
    drop(large);
    let _second = second.await.unwrap();
    let mut third = pin!(queue.turn(&realm, 40 * MIB));
    assert!(begin(&mut third).await.is_pending(), "80 MiB of 64");
    let mut fourth = pin!(queue.turn(&realm, MIB));
    assert!(begin(&mut fourth).await.is_pending(), "the third is first");
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Come { realm: u8, memory: usize },
    Leave(usize),
}

proptest! {
    /// Whoever comes and leaves in whatever order: the bounds hold, nobody waits where there is
    /// room, and in the end nothing is left.
    #[test]
    fn it_keeps_its_bounds_and_lets_nobody_wait_in_vain(
        deeds in prop::collection::vec(
            prop_oneof![
                2 => (0..4_u8, 0..80_usize).prop_map(|(realm, memory)| Deed::Come {
                    realm,
                    memory: memory * MIB,
                }),
                1 => (0..64_usize).prop_map(Deed::Leave),
            ],
            0..120,
        ),
    ) {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        tokio.block_on(async {
            let queue = queue(3, 10);
            let mut waiting = Vec::new();
            let mut running = Vec::new();
            for deed in deeds {
                match deed {
                    Deed::Come { realm, memory } => {
                        let (queue, realm) = (queue.clone(), Realm::from(format!("{realm}")));
                        waiting.push(Box::pin(async move { queue.turn(&realm, memory).await }));
                    }
                    Deed::Leave(which) => {
                        let all = waiting.len() + running.len();
                        match which.checked_rem(all) {
                            Some(index) if index < waiting.len() => drop(waiting.remove(index)),
                            Some(index) => drop(running.remove(index - waiting.len())),
                            None => {}
                        }
                    }
                }
                let mut still = Vec::new();
                for mut check in waiting.drain(..) {
                    match begin(&mut check).await {
                        Poll::Ready(Ok(turn)) => running.push(turn),
                        Poll::Ready(Err(error)) => assert_eq!(error, VerifyError::Overloaded),
                        Poll::Pending => still.push(check),
                    }
                }
                waiting = still;
                let lines = queue.0.lock();
                assert!(lines.running <= 3 && lines.waiting <= 10);
                assert_eq!(lines.running, running.len());
                assert_eq!(lines.waiting, waiting.len());
                assert!(lines.memory <= 64 * MIB || lines.running == 1);
                assert!(lines.running > 0 || lines.waiting == 0, "they wait for nobody");
            }
            drop((waiting, running));
            let lines = queue.0.lock();
            assert!(lines.realms.is_empty() && lines.round.is_empty());
            assert_eq!((lines.running, lines.waiting, lines.memory), (0, 0, 0));
        });
    }
}

#[tokio::test]
async fn a_check_that_nobody_waits_for_runs_only_while_there_is_no_other() {
    let (queue, realm) = (queue(1, 1), realm());
    let beside = queue.beside();
    let (release, released) = mpsc::channel::<()>();
    {
        let mut login = pin!(queue.run(&realm, 0, move || released.recv().is_ok()));
        assert!(begin(&mut login).await.is_pending());
        assert_eq!(
            beside.run(&realm, 0, || ()).await,
            Err(VerifyError::Overloaded)
        );
        release.send(()).unwrap();
        assert_eq!(login.await, Ok(true));
    }
    let load = queue.load();
    assert_eq!(
        (load.running, load.overloaded),
        (0, 0),
        "it was not a login's"
    );

    // The only turn is free for a login while it runs.
    let (release, released) = mpsc::channel::<()>();
    let mut shadow = pin!(beside.run(&realm, 0, move || released.recv().is_ok()));
    assert!(begin(&mut shadow).await.is_pending());
    assert_eq!(queue.run(&realm, 0, || "at once").await, Ok("at once"));
    assert_eq!(
        beside.run(&realm, 0, || ()).await,
        Err(VerifyError::Overloaded)
    );
    release.send(()).unwrap();
    assert_eq!(shadow.await, Ok(true));
    assert_eq!(beside.run(&realm, 0, || "again").await, Ok("again"));
}

#[tokio::test]
async fn what_is_refused_is_counted() {
    let (queue, realm) = (queue(1, 1), realm());
    let (release, released) = mpsc::channel::<()>();
    let mut first = pin!(queue.run(&realm, 0, move || released.recv().is_ok()));
    let mut second = pin!(queue.run(&realm, 0, || ()));
    assert!(begin(&mut first).await.is_pending());
    assert!(begin(&mut second).await.is_pending());
    assert_eq!(
        queue.run(&realm, 0, || ()).await,
        Err(VerifyError::Overloaded)
    );
    let expected = QueueLoad {
        running: 1,
        waiting: 1,
        overloaded: 1,
        late: 0,
    };
    assert_eq!(queue.load(), expected);
    release.send(()).unwrap();
    assert_eq!(first.await, Ok(true));
}
