//! Reads that are at least as fresh as what the client has seen.

use super::*;

const FRESH: &str = "writ-at-least-as-fresh";

impl TestRegion {
    /// A token of the organization's identity chain at a revision.
    fn at(&self, revision: i64) -> String {
        token_of(self.organization, revision)
    }

    /// A request that waits long enough for anything that is under way.
    fn patient(&self, fresh: &str) -> Builder {
        self.as_user().header(FRESH, fresh).header("prefer", "wait=5")
    }
}

fn token_of(organization: OrganizationId, revision: i64) -> String {
    let chain = chain(organization, HOME, Stream::Identity);
    let seen = vec![SeenRevision { chain, revision: Revision::first_epoch(revision) }];
    key().issue(&ConsistencyToken { organization, seen })
}

fn event(id: &str) -> String {
    EventToken { region: region(LOCAL), producer: PRODUCER.parse().unwrap(), id: id.parse().unwrap() }.issue()
}

/// Sends a request, and does something once it waits.
async fn while_waiting(
    region: &mut TestRegion,
    request: Request<Body>,
    then: impl FnOnce(&mut TestRegion),
) -> TestAnswer {
    let app = region.app.clone();
    let answer = tokio::spawn(async move { TestAnswer::of(app.oneshot(request).await.unwrap()).await });
    let freshness = region.model.freshness.clone();
    let waits = async {
        while freshness.waiting() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waits).await.unwrap();
    then(region);
    answer.await.unwrap()
}

#[tokio::test]
async fn what_is_applied_already_is_answered_at_once() {
    let region = TestRegion::new().await;
    assert!(region.ask(region.patient(&region.at(2)), &may(USER, "view", "cp-1")).await.decision());
}

#[tokio::test]
async fn a_read_waits_for_the_state_its_client_has_seen() {
    let mut region = TestRegion::new().await;
    let set = region.change_at_home(vec![Operation::DropGrant { id: grant_id(10) }]);
    let request = region.patient(&region.at(3)).body(Body::from(may(USER, "view", "cp-1").to_string())).unwrap();
    let answer = while_waiting(&mut region, request, |region| region.apply(HOME, &[set])).await;
    assert!(!answer.decision(), "it sees the revocation");
}

/// The bearer's own token, made a moment ago in another region, works at once.
#[tokio::test]
async fn the_bearer_is_checked_after_the_wait() {
    let mut region = TestRegion::new().await;
    let new = TestTokens::of(region.organization).user;
    let later = writ_contract::Timestamp::now().plus_seconds(60);
    let issued = put_token(5, &new, USER, writ_contract::row::TokenKind::Personal, later);
    let set = region.change_at_home(vec![issued]);
    let ask = |fresh: String| {
        TestRegion::post("/access/v1/evaluation")
            .header("authorization", bearer(&new))
            .header(FRESH, fresh)
            .header("prefer", "wait=5")
            .body(Body::from(may(USER, "view", "cp-1").to_string()))
            .unwrap()
    };
    region.send(ask(region.at(2))).await.refused(401);
    let request = ask(region.at(3));
    assert!(while_waiting(&mut region, request, |region| region.apply(HOME, &[set])).await.decision());
}

#[tokio::test]
async fn a_state_that_does_not_come_is_said_to_be_behind() {
    let region = TestRegion::new().await;
    let request = region.as_user().header(FRESH, region.at(9)).header("prefer", "respond-async, wait=0");
    let answer = region.ask(request, &may(USER, "view", "cp-1")).await;
    assert_eq!(answer.refused(503), "the identity chain of us is at 1.2 here, wanted is 1.9");
    assert_eq!(answer.header("retry-after"), "1");
    let unsaid = region.as_user().header(FRESH, region.at(9));
    region.ask(unsaid, &may(USER, "view", "cp-1")).await.refused(503);
    assert_eq!(region.model.freshness.waiting(), 0);
}

#[tokio::test]
async fn reads_chain() {
    let region = TestRegion::new().await;
    let first = region.ask(region.as_user(), &may(USER, "view", "cp-1")).await;
    let token = first.header("writ-consistency-token");
    assert!(region.ask(region.patient(token), &may(USER, "view", "cp-1")).await.decision());
    let seen = key().parse(token).unwrap();
    assert_eq!(seen.organization, region.organization);
    let revisions: Vec<_> =
        seen.seen.iter().map(|s| format!("{}/{}={}", s.chain.origin, s.chain.stream, s.revision)).collect();
    assert_eq!(revisions.join(", "), first.header("writ-applied-revision"));
}

#[tokio::test]
async fn tokens_that_are_malformed_forged_or_foreign_are_bad_requests() {
    let region = TestRegion::new().await;
    let good = region.at(1);
    let other_key: writ_tokens::ConsistencyKey = "cd".repeat(32).parse().unwrap();
    let forged = other_key.issue(&key().parse(&good).unwrap());
    let foreign = token_of(organization(2), 1);
    let cut = &good[..good.len() - 1];
    for bad in ["nonsense", "v1..", "", cut, &forged, &foreign, &format!("{good},{forged}"), "event;eu", "event;au;a;b"]
    {
        region.ask(region.patient(bad), &may(USER, "view", "cp-1")).await.refused(400);
    }
    let several_lines = region.patient(&good).header(FRESH, "nonsense");
    region.ask(several_lines, &may(USER, "view", "cp-1")).await.refused(400);
    let joined = region.patient(&format!("{good}, {}", region.at(2)));
    assert!(region.ask(joined, &may(USER, "view", "cp-1")).await.decision());
}

#[tokio::test]
async fn too_many_waiters_are_turned_away() {
    let region = TestRegion::new().await;
    let freshness = region.model.freshness.clone();
    let goal =
        crate::freshness::Goal::Reached(chain(region.organization, HOME, Stream::Identity), Revision::first_epoch(9));
    let _held: Vec<_> = (0..2).map(|_| freshness.register(goal.clone()).unwrap()).collect();
    let answer = region.ask(region.patient(&region.at(9)), &may(USER, "view", "cp-1")).await;
    answer.refused(429);
    assert_eq!(answer.header("retry-after"), "1");
    let satisfied = region.ask(region.patient(&region.at(2)), &may(USER, "view", "cp-1")).await;
    assert!(satisfied.decision(), "who need not wait is not limited");
}

#[tokio::test]
async fn nobody_unknown_waits_for_an_event() {
    let region = TestRegion::new().await;
    let stranger = TestTokens::of(region.organization).user;
    let request = TestRegion::post("/access/v1/evaluation")
        .header("authorization", bearer(&stranger))
        .header(FRESH, event("announce-cp-2"))
        .header("prefer", "wait=5");
    region.ask(request, &may(USER, "view", "cp-2")).await.refused(401);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_producer_waits_for_its_event_by_its_own_name(pool: PgPool) {
    let mut region = TestRegion::over(pool.clone()).await;
    let set = region.world.announce(region.organization, LOCAL, "cp-2");
    let effects = region.model.plan(&[record(LOCAL, &set)]);
    let body = || Body::from(may(USER, "view", "cp-2").to_string());
    let request = region.patient(&event("announce-cp-2")).body(body()).unwrap();
    let mut tx = pool.begin().await.unwrap();
    region.model.persist(&mut tx, &effects).await.unwrap();
    let answer = {
        let app = region.app.clone();
        let asked = tokio::spawn(async move { TestAnswer::of(app.oneshot(request).await.unwrap()).await });
        let waits = async {
            while region.model.freshness.waiting() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waits).await.unwrap();
        tx.commit().await.unwrap();
        region.model.committed(effects);
        asked.await.unwrap()
    };
    assert!(answer.decision());
    let again = region.patient(&event("announce-cp-2")).body(body()).unwrap();
    assert!(region.send(again).await.decision(), "and is answered at once afterwards");
    let never = region.as_user().header(FRESH, event("never")).body(body()).unwrap();
    let answer = region.send(never).await;
    assert_eq!(answer.refused(503), "the event is not applied here yet; it comes from eu");
}
