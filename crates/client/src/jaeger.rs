//! Jaeger's query API: traces as they were collected.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;

use crate::response::ClientError;

const NOT_FOUND: u16 = 404;

/// The query API of a Jaeger.
#[derive(Debug, Clone)]
pub struct Jaeger {
    http: reqwest::Client,
    base: String,
}

/// What was collected of one trace.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Its id.
    pub id: String,
    /// In no particular order.
    pub spans: Vec<Span>,
}

/// One span of a trace.
#[derive(Debug, Clone)]
pub struct Span {
    /// Its id.
    pub id: String,
    /// Id of the span it is a part of.
    pub parent: Option<String>,
    /// Ids of other traces that it is linked to.
    pub links: Vec<String>,
    /// Its name.
    pub name: String,
    /// Microseconds since the Unix epoch.
    pub begun: u64,
    /// Microseconds.
    pub took: u64,
    /// Its own attributes.
    pub attributes: BTreeMap<String, String>,
    /// Attributes of the process that recorded it.
    pub resource: BTreeMap<String, String>,
}

impl Jaeger {
    /// The Jaeger whose page is at `base`.
    pub fn new(http: reqwest::Client, base: &str) -> Self {
        Self { http, base: base.trim_end_matches('/').to_owned() }
    }

    /// A trace, as far as it was collected by now.
    ///
    /// # Errors
    /// When nobody answers, or not as Jaeger does.
    pub async fn trace(&self, id: &str) -> Result<Option<Trace>, ClientError> {
        Ok(self.get(&format!("/api/traces/{id}")).await?.into_iter().next())
    }

    /// All that Jaeger tells of a trace, as text.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn text(&self, id: &str) -> Result<String, ClientError> {
        Ok(self.http.get(format!("{}/api/traces/{id}", self.base)).send().await?.text().await?)
    }

    /// The last traces of an hour that a service has a part in.
    ///
    /// # Errors
    /// When nobody answers, or not as Jaeger does.
    pub async fn traces_of(&self, service: &str) -> Result<Vec<Trace>, ClientError> {
        self.get(&format!("/api/traces?service={service}&lookback=1h&limit=100")).await
    }

    /// The page that shows a trace.
    pub fn page(&self, id: &str) -> String {
        format!("{}/trace/{id}", self.base)
    }

    async fn get(&self, path: &str) -> Result<Vec<Trace>, ClientError> {
        let response = self.http.get(format!("{}{path}", self.base)).send().await?;
        if response.status().as_u16() == NOT_FOUND {
            return Ok(Vec::new());
        }
        let found: Found = response.error_for_status()?.json().await.map_err(ClientError::NotJaeger)?;
        Ok(found.data.into_iter().map(Trace::from).collect())
    }
}

impl Span {
    /// Name of the service that recorded it.
    pub fn service(&self) -> &str {
        self.resource.get("service.name").map_or("", String::as_str)
    }

    /// Code of the region it was recorded in; empty for a caller outside all regions.
    pub fn region(&self) -> &str {
        self.resource.get("writ.region").map_or("", String::as_str)
    }

    /// Whether what it stands for went wrong.
    pub fn failed(&self) -> bool {
        self.attributes.get("error").is_some_and(|error| error == "true")
    }
}

#[derive(Deserialize)]
struct Found {
    data: Vec<FoundTrace>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundTrace {
    #[serde(rename = "traceID")]
    id: String,
    spans: Vec<FoundSpan>,
    processes: HashMap<String, Process>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundSpan {
    #[serde(rename = "spanID")]
    id: String,
    operation_name: String,
    references: Vec<Reference>,
    start_time: u64,
    duration: u64,
    tags: Vec<Tag>,
    #[serde(rename = "processID")]
    process: String,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "refType")]
    kind: String,
    #[serde(rename = "traceID")]
    trace: String,
    #[serde(rename = "spanID")]
    span: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    service_name: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    value: Value,
}

impl From<FoundTrace> for Trace {
    fn from(found: FoundTrace) -> Self {
        let FoundTrace { id, spans, processes } = found;
        let spans = spans.into_iter().filter_map(|span| read(span, &processes)).collect();
        Self { id, spans }
    }
}

fn read(span: FoundSpan, processes: &HashMap<String, Process>) -> Option<Span> {
    let process = processes.get(&span.process)?;
    let mut resource = attributes(&process.tags);
    resource.insert("service.name".to_owned(), process.service_name.clone());
    let (parents, links): (Vec<_>, Vec<_>) = span.references.into_iter().partition(|to| to.kind == "CHILD_OF");
    Some(Span {
        id: span.id,
        parent: parents.into_iter().next().map(|to| to.span),
        links: links.into_iter().map(|to| to.trace).collect(),
        name: span.operation_name,
        begun: span.start_time,
        took: span.duration,
        attributes: attributes(&span.tags),
        resource,
    })
}

fn attributes(tags: &[Tag]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    tags.iter().map(|tag| (tag.key.clone(), text(&tag.value))).collect()
}
