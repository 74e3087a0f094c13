//! Personal data of an organization exists in identity's database at home and nowhere else.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use integration_tests::{Organization, REGIONS, System};
use memchr::memmem;
use reqwest::Method;
use serde_json::json;
use writ_client::{AssignRole, Question};
use writ_contract::TeamId;

/// Texts that occur nowhere by chance.
const PERSONAL: [&str; 8] = [
    "zephyrine.quillfeather",
    "Zephyrine",
    "Quillfeather",
    "Xylograph-Holdings",
    "Obsidian-Kestrels",
    "vermilion-description",
    "cerulean-label",
    "Marmaduke-Prefers",
];

/// Writes every kind of personal datum there is, and uses it in every region.
async fn live_a_little(system: &'static System) -> Result<()> {
    let organization = Organization::named(
        system,
        "us",
        "Xylograph-Holdings",
        "zephyrine.quillfeather@mail.example",
        "Zephyrine Quillfeather",
    )
    .await?;
    let admin = &organization.admin;
    let body = json!({"name": "Obsidian-Kestrels", "description": "vermilion-description", "labels": {"colour": "cerulean-label"}});
    let team = admin.done(Method::POST, "/v3/teams", Some(&body)).await?.text("/id").parse::<TeamId>()?;
    let me = format!("/v3/users/{}", organization.owner);
    admin.done(Method::PATCH, &me, Some(&json!({"preferred_name": "Marmaduke-Prefers"}))).await?;
    // Errors, too, must not carry what they are about.
    admin.call(Method::POST, "/v3/invites", Some(&json!({"email": "zephyrine.quillfeather@mail.example"}))).await?;
    admin.call(Method::GET, "/v3/users?filter[email][eq]=zephyrine.quillfeather@mail.example", None).await?;
    admin.call(Method::GET, "/v3/users/Zephyrine", None).await?;
    let role = AssignRole { role: "Viewer", entity_type: "Control Planes", entity: "*", region: "eu" };
    admin.assign_role(team, role).await?;
    let joined = admin.add_member(team, organization.owner).await?.consistency_token;
    for region in REGIONS {
        let question =
            Question { user: organization.owner, action: "view", resource_type: "control_planes", resource: "cp" };
        system.read(region).evaluate(&organization.owner_token, question, joined.as_deref()).await?;
        system
            .management(region, &organization.owner_token)
            .call(Method::GET, "/v3/users?filter[full_name][contains]=Zephyrine", None)
            .await?;
    }
    Ok(())
}

/// Finds a text in any case, as it is or in hexadecimal (as a dump shows binary columns).
struct Finder {
    text: &'static str,
    forms: [memmem::Finder<'static>; 2],
}

impl Finder {
    fn new(text: &'static str) -> Self {
        let lower = text.to_lowercase();
        let hex: String = lower.bytes().map(|byte| format!("{byte:02x}")).collect();
        let form = |form: &str| memmem::Finder::new(form).into_owned();
        Self { text, forms: [form(&lower), form(&hex)] }
    }

    fn finds(&self, lower_case: &[u8]) -> bool {
        self.forms.iter().any(|form| form.find(lower_case).is_some())
    }
}

/// Every file below a folder, in lower case. PostgreSQL's own are looked at as dumps, and Kafka's indexes hold offsets.
fn files(folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            if !path.join("PG_VERSION").exists() {
                files(&path, into)?;
            }
        } else if !is_index(&path)
            && let Ok(bytes) = std::fs::read(&path)
        {
            into.insert(path.display().to_string(), bytes.to_ascii_lowercase());
        }
    }
    Ok(())
}

fn is_index(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "index" || extension == "timeindex")
}

async fn everything(system: &'static System) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut all = BTreeMap::new();
    files(system.home(), &mut all)?;
    for region in REGIONS {
        for (database, dump) in system.dumps(region)? {
            all.insert(format!("database {region} {database}"), dump.to_ascii_lowercase());
        }
        for (service, metrics) in system.metrics(region).await? {
            all.insert(format!("metrics {region} {service}"), metrics.to_lowercase().into_bytes());
        }
    }
    all.insert("traces".to_owned(), system.traces().unwrap_or_default().to_ascii_lowercase());
    Ok(all)
}

/// The scan of every log segment, database, service log, metric and trace of three regions.
#[tokio::test(flavor = "multi_thread")]
async fn personal_data_stays_in_identitys_database_at_home() -> Result<()> {
    let system = System::running().await?;
    if system.in_containers() {
        eprintln!("skipped: the engine has the files of the cluster, and this looks into all of them");
        return Ok(());
    }
    live_a_little(system).await?;
    let mut all = everything(system).await?;
    let home = all.remove("database us identity").context("the dump of identity's database at home")?;
    let finders = PERSONAL.map(Finder::new);
    for finder in &finders {
        ensure!(finder.finds(&home), "the scan works: {} is in identity's database at home", finder.text);
    }
    let segments = all.keys().filter(|name| name.ends_with(".log") && name.contains("policy-changes")).count();
    ensure!(segments >= REGIONS.len(), "the scan sees Kafka's segments");
    ensure!(all.keys().any(|name| name.starts_with("metrics eu")), "the scan sees metrics");
    ensure!(!all["traces"].is_empty(), "the scan sees traces");
    let mut leaks = Vec::new();
    for (name, bytes) in &all {
        leaks.extend(
            finders.iter().filter(|finder| finder.finds(bytes)).map(|finder| format!("{} in {name}", finder.text)),
        );
    }
    ensure!(leaks.is_empty(), "personal data outside its home:\n{}", leaks.join("\n"));
    Ok(())
}
