//! The steps of the story, in order.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use writ_client::{ApiResponse, AssignRole, CallerSpan, ClientError, Management, NewUser, Question, ReadApi};
use writ_contract::TeamId;

use super::{Cast, Stage, Step};

const CONTROL_PLANES: &str = "control_planes";
/// How long a change may take to arrive without a consistency token.
const PATIENCE: Duration = Duration::from_secs(20);
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(1);
const UNAUTHORIZED: u16 = 401;

/// Tells the story step by step.
pub(super) struct Teller<'a, F> {
    stage: &'a Stage,
    cast: &'a Cast,
    heard: F,
}

/// What the later steps need.
struct Scene {
    admin: Management,
    user: NewUser,
    team: TeamId,
    /// Control planes of the other region and of home.
    there: String,
    here: String,
    /// Freshness of the entity events.
    announced: String,
}

/// The expected answer.
#[derive(Clone, Copy)]
enum Must {
    Allow,
    Deny,
    Refuse,
}

impl<'a, F: FnMut(&Step)> Teller<'a, F> {
    pub(super) fn new(stage: &'a Stage, cast: &'a Cast, heard: F) -> Self {
        Self { stage, cast, heard }
    }

    pub(super) async fn tell(mut self) -> Result<()> {
        let scene = self.set_the_scene().await?;
        let granted = self.grant(&scene).await?;
        self.ask_at_once(&scene, &granted).await?;
        self.ask_unaided(&scene).await?;
        self.ask_for_too_much(&scene).await?;
        self.remove_from_team(&scene).await?;
        self.revoke_token(&scene).await
    }

    async fn set_the_scene(&mut self) -> Result<Scene> {
        let (stage, cast) = (self.stage, self.cast);
        let (home, away) = (&stage.home, &stage.away);
        let (name, email) = &cast.administrator;
        let created = stage.operator.create_organization(&cast.organization, email, name);
        let organization = self.act(format!("{home}: the operator creates an organization"), created).await?;
        let admin = stage.operator.with_bearer(&organization.token);
        let (name, email) = &cast.user;
        let joined = admin.add_user(email, name);
        let user = self.act(format!("{home}: its administrator invites a user, who accepts"), joined).await?;
        let id = organization.id;
        let (there, here) = (format!("{away}-gateway"), format!("{home}-gateway"));
        let title = format!("{away}: another system announces the control plane {there}");
        let event = self.act(title, stage.away_entities.create(id, CONTROL_PLANES, &there)).await?;
        let title = format!("{home}: another system announces the control plane {here}");
        let other = self.act(title, stage.home_entities.create(id, CONTROL_PLANES, &here)).await?;
        let (event, other) = (stage.away_entities.freshness(&event), stage.home_entities.freshness(&other));
        let (name, description) = &cast.team;
        let team =
            self.act(format!("{home}: the administrator creates a team"), admin.create_team(name, description)).await?;
        Ok(Scene { admin, user, team, there, here, announced: format!("{event},{other}") })
    }

    /// Role and membership. Returns the consistency token of the last change.
    async fn grant(&mut self, scene: &Scene) -> Result<String> {
        let (home, away) = (&self.stage.home, &self.stage.away);
        let title = format!("{home}: the team may view control planes, in {away} only");
        let role = role("Viewer", away);
        self.act(title, scene.admin.assign_role(scene.team, role)).await?;
        self.join(scene).await
    }

    /// The central change. Its trace begins with the caller.
    async fn join(&mut self, scene: &Scene) -> Result<String> {
        let (began, span) = (Instant::now(), CallerSpan::begin());
        let title = format!("{}: the user joins the team", self.stage.home);
        let joined = scene.admin.within(&span).add_member(scene.team, scene.user.id).await;
        let (joined, took) = (joined.with_context(|| title.clone())?, began.elapsed());
        let trace = self.stage.end(span, "the user joins the team").await;
        self.hear(Step { title, outcome: "done".to_owned(), took, right: true, trace });
        token_of(&joined)
    }

    /// The first answer must be yes, because the read API waits for the states in the token.
    async fn ask_at_once(&mut self, scene: &Scene, granted: &str) -> Result<()> {
        let (stage, away) = (self.stage, &self.stage.away);
        let fresh = format!("{granted},{}", scene.announced);
        let title = format!("{away}: may the user view {}? Asked at once, with the consistency token", scene.there);
        self.ask(title, &stage.away_reads, scene, (&scene.there, "view"), Some(&fresh), Must::Allow).await
    }

    /// How long a change takes to arrive without a token.
    async fn ask_unaided(&mut self, scene: &Scene) -> Result<()> {
        let (stage, home, away) = (self.stage, &self.stage.home, &self.stage.away);
        let role = role("Deployer", away);
        let title = format!("{home}: the team may deploy too, in {away} only");
        self.act(title, scene.admin.assign_role(scene.team, role)).await?;
        let began = Instant::now();
        let mut asked = 0;
        loop {
            asked += 1;
            let answer = stage.away_reads.evaluate(&scene.user.token, question(scene, &scene.there, "deploy"), None);
            if answer.await?.allowed() {
                break;
            }
            if began.elapsed() > PATIENCE {
                bail!("{away}: the change did not arrive within {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(BETWEEN_QUESTIONS).await;
        }
        let title = format!("{away}: may the user deploy? Asked again and again, without a token");
        self.hear(Step {
            title,
            outcome: format!("yes, at question {asked}"),
            took: began.elapsed(),
            right: true,
            trace: None,
        });
        Ok(())
    }

    async fn ask_for_too_much(&mut self, scene: &Scene) -> Result<()> {
        let (stage, home, away) = (self.stage, &self.stage.home, &self.stage.away);
        for (region, reads) in [(away, &stage.away_reads), (home, &stage.home_reads)] {
            let title = format!("{region}: may the user view {}, which is in {home}?", scene.here);
            self.ask(title, reads, scene, (&scene.here, "view"), Some(&scene.announced), Must::Deny).await?;
        }
        let title = format!("{away}: may the user delete {}?", scene.there);
        self.ask(title, &stage.away_reads, scene, (&scene.there, "delete"), None, Must::Deny).await?;
        let title = format!("{away}: may the user view a control plane that nobody announced?");
        self.ask(title, &stage.away_reads, scene, ("no-such-gateway", "view"), None, Must::Deny).await
    }

    async fn remove_from_team(&mut self, scene: &Scene) -> Result<()> {
        let (stage, home, away) = (self.stage, &self.stage.home, &self.stage.away);
        let removed = scene.admin.remove_member(scene.team, scene.user.id);
        let removed = token_of(&self.act(format!("{home}: the user is removed from the team"), removed).await?)?;
        let title = format!("{away}: may the user still view {}?", scene.there);
        self.ask(title, &stage.away_reads, scene, (&scene.there, "view"), Some(&removed), Must::Deny).await
    }

    async fn revoke_token(&mut self, scene: &Scene) -> Result<()> {
        let (stage, home, away) = (self.stage, &self.stage.home, &self.stage.away);
        let revoked = scene.admin.revoke_token(scene.user.id, scene.user.token_id);
        let revoked = token_of(&self.act(format!("{home}: the user's token is revoked"), revoked).await?)?;
        let title = format!("{away}: asked with the revoked token");
        self.ask(title, &stage.away_reads, scene, (&scene.there, "view"), Some(&revoked), Must::Refuse).await
    }

    /// A request that must succeed.
    async fn act<T>(&mut self, title: String, request: impl Future<Output = Result<T, ClientError>>) -> Result<T> {
        let began = Instant::now();
        let done = request.await.with_context(|| title.clone())?;
        self.hear(Step { title, outcome: "done".to_owned(), took: began.elapsed(), right: true, trace: None });
        Ok(done)
    }

    /// A query with the user's own token.
    async fn ask(
        &mut self,
        title: String,
        reads: &ReadApi,
        scene: &Scene,
        (resource, action): (&str, &str),
        fresh: Option<&str>,
        must: Must,
    ) -> Result<()> {
        let began = Instant::now();
        let answer = reads.evaluate(&scene.user.token, question(scene, resource, action), fresh).await?;
        let (outcome, right) = (outcome(&answer), must.fits(&answer));
        self.hear(Step { title, outcome, took: began.elapsed(), right, trace: None });
        Ok(())
    }

    fn hear(&mut self, step: Step) {
        (self.heard)(&step);
    }
}

impl Must {
    fn fits(self, answer: &ApiResponse) -> bool {
        match self {
            Self::Allow => answer.allowed(),
            Self::Deny => answer.status == 200 && !answer.allowed(),
            Self::Refuse => answer.status == UNAUTHORIZED,
        }
    }
}

fn outcome(answer: &ApiResponse) -> String {
    match answer.status {
        200 if answer.allowed() => "yes".to_owned(),
        200 => "no".to_owned(),
        UNAUTHORIZED => "not authenticated (401)".to_owned(),
        status => format!("{status} {}", answer.body),
    }
}

fn role<'a>(role: &'a str, region: &'a str) -> AssignRole<'a> {
    AssignRole { role, entity_type: "Control Planes", entity: "*", region }
}

fn question<'a>(scene: &Scene, resource: &'a str, action: &'a str) -> Question<'a> {
    Question { user: scene.user.id, action, resource_type: CONTROL_PLANES, resource }
}

fn token_of(answer: &ApiResponse) -> Result<String> {
    answer.consistency_token.clone().context("the answer has no consistency token")
}
