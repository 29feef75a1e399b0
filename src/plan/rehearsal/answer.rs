//! What the answer to a dry run means.
//!
//! The words of the API server are matched, because its codes tell too little: a refusal by a quota,
//! a policy, a webhook and a role are all 403. They are those of Kubernetes 1.34 to 1.36
//! (`plugin/pkg/admission`, `staging/src/k8s.io/apiserver/pkg/admission`).

use std::collections::BTreeMap;

use super::made::Made;
use super::words::{after, one_line};
use super::{About, Action, Class, Objection, Step, objection};

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status code; 0 if there was no answer in time.
    pub code: u16,
    /// What does not exist, where that is the refusal.
    pub absent: Option<Absent>,
    /// What the API server says; none where a role is the reason, or where it may be secret.
    pub said: Option<String>,
    /// The fields that an apply may not take from their owners, where that is the refusal.
    pub claims: Vec<Claim>,
    /// The whole refusal in words.
    pub told: String,
}

/// A field that another field manager owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Where: `spec.replicas`.
    pub field: String,
    /// Who owns it.
    pub manager: String,
}

/// `kubectl-edit owns spec.replicas and spec.paused, hpa owns data.a`.
fn claims(claims: &[Claim]) -> String {
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for claim in claims {
        owners.entry(&claim.manager).or_default().push(&claim.field);
    }
    let told: Vec<String> = owners
        .into_iter()
        .map(|(manager, fields)| {
            format!(
                "field manager {} owns {}",
                one_line(manager),
                one_line(&fields.join(", "))
            )
        })
        .collect();
    told.join("; ")
}

/// What a request may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The API server does not serve the kind.
    Kind,
    /// The namespace.
    Namespace,
    /// The resource, or one that it names.
    Resource,
}

/// What an answer means for the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Passed,
    /// It can be checked only when something else is there.
    Later(String),
    /// It was not checked, or not in full.
    Warned(String),
    /// The step would be refused.
    Refused(Objection),
    /// A webhook of that name fails, so the step would be refused; which configuration has it is
    /// not in the answer.
    Webhook(String, Objection),
}

/// Tells what the refusal of a step, or of a pod of it, means.
pub fn judge((step, about): (&Step, About), refusal: &Refusal, made: &Made<'_>) -> Verdict {
    let case = Case {
        step,
        about,
        refusal,
        said: refusal.said.as_deref().unwrap_or_default(),
        made,
    };
    let judged = case.expected().or_else(|| case.later());
    judged.unwrap_or_else(|| case.refused())
}

struct Case<'a> {
    step: &'a Step,
    about: About,
    refusal: &'a Refusal,
    said: &'a str,
    made: &'a Made<'a>,
}

impl Case<'_> {
    fn is_anew(&self) -> bool {
        self.step.follows.is_some() || matches!(self.step.action, Action::Recreate(_))
    }

    fn namespace(&self) -> &str {
        self.step.id.namespace.as_deref().unwrap_or_default()
    }

    fn is_over_quota(&self) -> bool {
        self.said.contains("exceeded quota: ")
    }

    /// Refusals that are none of the step itself.
    fn expected(&self) -> Option<Verdict> {
        let quota = self.is_over_quota();
        let is_gone = matches!(self.refusal.absent, Some(Absent::Resource | Absent::Kind));
        if self.about == About::Removal && is_gone {
            return Some(Verdict::Passed);
        }
        if self.is_anew() && self.about == About::Itself {
            // What makes way for it still holds its name, its quota, its address and its ports.
            let held = [
                "provided port is already allocated",
                "provided IP is already allocated",
            ];
            let is_held = quota || held.iter().any(|words| self.said.contains(words));
            if self.refusal.code == 409 && self.said.is_empty() {
                return Some(Verdict::Passed);
            }
            if is_held {
                return Some(Verdict::Later("the old one goes before it".to_owned()));
            }
        }
        if self.said.contains("does not support dry run") {
            let name = after(self.said, "admission webhook ").unwrap_or("a webhook");
            return Some(Verdict::Warned(format!(
                "not checked: webhook {name} does not support dry runs"
            )));
        }
        if self.about == About::Pods && self.refusal.code == 403 && self.said.is_empty() {
            return Some(Verdict::Later(
                "you may create no pods, so none was tried".to_owned(),
            ));
        }
        let is_new = matches!(self.step.action, Action::Create(_)) && !self.is_anew();
        if self.about == About::Pods && quota && !is_new {
            // Old pods may make way for new ones.
            let text = format!("one more pod would exceed a quota: {}", self.words());
            return Some(Verdict::Warned(text));
        }
        None
    }

    /// What the plan itself makes, so that the refusal may not stand.
    fn later(&self) -> Option<Verdict> {
        let made = self.made;
        let found = match self.refusal.absent {
            Some(Absent::Namespace) => made.namespace(self.namespace()),
            Some(Absent::Kind) => made.definition(self.step),
            Some(Absent::Resource) => self.role(),
            None => None,
        };
        let found = found
            .or_else(|| self.removed())
            .or_else(|| self.account())
            .or_else(|| {
                let name = after(self.said, "no PriorityClass with name ")?;
                made.created("PriorityClass", None, name)
            })
            .or_else(|| {
                let name = after(self.said, "RuntimeClass ")?;
                made.created("RuntimeClass", None, name)
            })
            .or_else(|| {
                let is_grant = self.said.contains("attempting to grant RBAC permissions");
                self.role().filter(|_| is_grant)
            })
            .or_else(|| {
                let name = after(self.said, "ValidatingAdmissionPolicy ")?;
                made.touched(&["ValidatingAdmissionPolicy"], name)
            })
            .or_else(|| made.webhook(self.webhook()?))
            .or_else(|| self.service())
            .or_else(|| {
                let is_schema = self.said.contains("unknown field") || self.refusal.code == 422;
                made.definition(self.step).filter(|_| is_schema)
            })
            .or_else(|| {
                let is_label = self.said.contains("violates PodSecurity");
                let namespace = made.touched(&["Namespace"], self.namespace());
                namespace.filter(|_| is_label)
            })
            .or_else(|| {
                let is_limit = self.said.contains("failed quota: ");
                made.any("LimitRange", self.namespace())
                    .filter(|_| is_limit)
            });
        found.map(Verdict::Later)
    }

    /// The role that a binding names, if it is made.
    fn role(&self) -> Option<String> {
        let (kind, name) = self.step.role()?;
        self.made.touched(&[kind], name)
    }

    fn account(&self) -> Option<String> {
        if !self.said.contains("error looking up service account ") {
            return None;
        }
        let name = after(self.said, "serviceaccount ")?;
        if name == "default" {
            return Some("Kubernetes makes ServiceAccount default in every namespace".to_owned());
        }
        self.made
            .created("ServiceAccount", Some(self.namespace()), name)
    }

    /// What stands against a deletion, if it goes in the same change: it may be gone by then.
    fn removed(&self) -> Option<String> {
        if self.about != About::Removal {
            return None;
        }
        let policy = after(self.said, "ValidatingAdmissionPolicy ");
        let binding = after(self.said, " with binding ");
        let made = self.made;
        policy
            .and_then(|name| made.removed("ValidatingAdmissionPolicy", name))
            .or_else(|| made.removed("ValidatingAdmissionPolicyBinding", binding?))
            .or_else(|| made.removed_webhook(self.webhook()?))
    }

    /// The webhook that has refused or that fails.
    fn webhook(&self) -> Option<&str> {
        after(self.said, "failed calling webhook ")
            .or_else(|| after(self.said, "admission webhook "))
    }

    /// The Service behind a webhook that fails, if it is made: `Post "https://name.namespace.svc:…`.
    fn service(&self) -> Option<String> {
        let (_, url) = self.said.split_once("Post \"https://")?;
        let host = url.split([':', '/', '"']).next()?;
        let mut parts = host.split('.');
        let (name, namespace) = (parts.next()?, parts.next()?);
        self.made.created("Service", Some(namespace), name)
    }

    fn refused(&self) -> Verdict {
        if !self.refusal.claims.is_empty() {
            let mut objection = objection(self.step, self.about, claims(&self.refusal.claims));
            objection.class = Class::Owned;
            return Verdict::Refused(objection);
        }
        let (reason, remedy) = self.reason();
        let mut objection = objection(self.step, self.about, reason);
        objection.remedy = remedy;
        if self.refusal.code == 409 || self.is_gone() {
            objection.class = Class::Conflict;
        } else if self.is_over_quota() {
            objection.class = Class::OverQuota;
        } else if self.said.contains("because it is being terminated") {
            objection.class = Class::Terminating;
        }
        match after(self.said, "failed calling webhook ") {
            Some(name) => Verdict::Webhook(name.to_owned(), objection),
            None => Verdict::Refused(objection),
        }
    }

    /// Whether the resource was there when it was read.
    fn is_gone(&self) -> bool {
        self.refusal.absent == Some(Absent::Resource)
            && matches!(self.step.action, Action::Configure(..))
    }

    fn reason(&self) -> (String, Option<String>) {
        let id = &self.step.id;
        let some = |text: &str| Some(text.to_owned());
        match (self.refusal.code, self.refusal.absent) {
            (_, Some(Absent::Namespace)) => (
                format!("namespace {} does not exist", self.namespace()),
                some("create the namespace first, or install with --create-namespace"),
            ),
            (_, Some(Absent::Kind)) => (
                format!(
                    "the API server does not serve {} {}",
                    self.step.kind.api_version(),
                    id.kind
                ),
                None,
            ),
            (_, Some(Absent::Resource)) if self.is_gone() => (
                "it was deleted since it was read".to_owned(),
                some("run the command again"),
            ),
            (_, Some(Absent::Resource)) => match self.step.role() {
                Some((kind, name)) => (format!("{kind} {name} does not exist"), None),
                None => (self.refusal.told.clone(), None),
            },
            (409, None) if self.about == About::Removal => (
                "it was changed, or made anew, since it was read".to_owned(),
                some("run the command again"),
            ),
            (409, None) if matches!(self.step.action, Action::Create(_)) => (
                "it exists already, made by somebody else since it was looked for".to_owned(),
                some("run the command again"),
            ),
            (409, None) => (
                format!("it conflicts with another change: {}", self.words()),
                some("run the command again"),
            ),
            (403, None) if self.said.is_empty() => (
                format!("you are not allowed to {} it", self.verb()),
                some("ask an administrator of the cluster for this right"),
            ),
            (0, None) => (self.refusal.told.clone(), None),
            _ if self.said.is_empty() => (self.refusal.told.clone(), None),
            _ => (self.words(), self.remedy()),
        }
    }

    fn verb(&self) -> &'static str {
        match self.step.action {
            _ if self.about == About::Removal => "delete",
            Action::Configure(..) => "change",
            _ => "create",
        }
    }

    /// What would help against what was said.
    fn remedy(&self) -> Option<String> {
        const IMMUTABLE: [&str; 5] = [
            "is immutable",
            "Forbidden: updates to",
            "may not be changed",
            "may not change once set",
            "cannot change roleRef",
        ];
        let said = self.said;
        if matches!(self.step.action, Action::Configure(..))
            && IMMUTABLE.iter().any(|words| said.contains(words))
        {
            let (kind, name) = (&self.step.id.kind, &self.step.id.name);
            return Some(format!(
                "--recreate {kind}/{name} deletes it and creates it anew"
            ));
        }
        said.contains("failed calling webhook ").then(|| {
            "see that what the webhook calls is up and answers, or delete its configuration"
                .to_owned()
        })
    }

    /// What the API server says, without what only repeats the resource, on one line.
    fn words(&self) -> String {
        let mut said = self.said;
        for prefix in [
            "Internal error occurred: ",
            "admission webhook is forbidden: ",
        ] {
            said = said.strip_prefix(prefix).unwrap_or(said);
        }
        for words in [
            " is invalid: ",
            " is forbidden: ",
            "strict decoding error: ",
        ] {
            let head = said.split_once(words);
            if let Some((_, rest)) = head.filter(|(head, _)| head.len() < 300) {
                said = rest;
            }
        }
        one_line(said)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::capabilities::Kind;
    use crate::manifest::{Manifest, Origin, Resource, ResourceId};
    use crate::plan::{Cascade, Checked, Hooks, Method, Part, Plan, Precondition, Stage, Trend};

    fn step(kind: &str, name: &str, action: Action) -> Step {
        Step {
            id: ResourceId {
                group: String::new(),
                kind: kind.to_owned(),
                namespace: Some("shop".to_owned()),
                name: name.to_owned(),
            },
            kind: Kind::core(kind, "things"),
            origin: None,
            action,
            apply: None,
            credential: None,
            follows: None,
            remark: None,
            checked: Checked::default(),
        }
    }

    fn create(kind: &str, name: &str) -> Step {
        step(kind, name, Action::Create(json!({})))
    }

    /// A plan that makes these.
    fn plan(steps: Vec<Step>) -> Plan {
        Plan {
            stages: vec![Stage {
                part: Part::Ungrouped,
                gates: vec![],
                phases: vec![steps],
                awaited: vec![],
            }],
            method: Method::ClientSide,
            trend: Trend::Level,
            generators: vec![],
            objections: vec![],
            hooks: Hooks::default(),
        }
    }

    fn refusal(code: u16, said: &str) -> Refusal {
        Refusal {
            code,
            absent: None,
            said: (!said.is_empty()).then(|| said.to_owned()),
            claims: vec![],
            told: format!("told {code}"),
        }
    }

    fn told(verdict: Verdict) -> String {
        match verdict {
            Verdict::Passed => "passed".to_owned(),
            Verdict::Later(why) => format!("later: {why}"),
            Verdict::Warned(text) => format!("warned: {text}"),
            Verdict::Refused(objection) => match objection.class {
                Class::Refused | Class::OverQuota => format!("refused: {}", objection.reason),
                Class::Conflict | Class::Taken => format!("conflict: {}", objection.reason),
                Class::Owned => format!("owned: {}", objection.reason),
                Class::Terminating => format!("terminating: {}", objection.reason),
            },
            Verdict::Webhook(name, objection) => format!("{name}: {}", objection.reason),
        }
    }

    /// Judges what was said about a config map, or a pod of a workload, where the plan makes a few
    /// other things.
    #[track_caller]
    fn check(about: About, (code, said): (u16, &str), expected: &str) {
        let plan = plan(vec![
            create("ServiceAccount", "own"),
            create("PriorityClass", "high"),
            create("RuntimeClass", "sandbox"),
            create("ValidatingAdmissionPolicy", "strict"),
            create("Service", "hook"),
            create("LimitRange", "limits"),
        ]);
        let desired = Manifest::default();
        let made = Made::of(&plan, (&desired, &[]), None);
        let kind = match about {
            About::Itself | About::Removal => "ConfigMap",
            About::Pods => "Deployment",
        };
        let verdict = judge((&create(kind, "web"), about), &refusal(code, said), &made);
        assert_eq!(told(verdict), expected, "{said}");
    }

    #[test]
    fn refusals_are_told_in_words() {
        let itself = |code, said, expected| check(About::Itself, (code, said), expected);
        itself(403, "", "refused: you are not allowed to create it");
        itself(
            409,
            "",
            "conflict: it exists already, made by somebody else since it was looked for",
        );
        itself(
            422,
            "ConfigMap \"a\" is invalid: data: Too long",
            "refused: data: Too long",
        );
        itself(
            422,
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: \
             unknown field \"dta\"",
            "refused: unknown field \"dta\"",
        );
        itself(
            403,
            "configmaps \"a\" is forbidden: unable to create new content in namespace shop because \
             it is being terminated",
            "terminating: unable to create new content in namespace shop because it is being \
             terminated",
        );
        itself(502, "Bad gateway\u{1b}[2J\nx", "refused: Bad gateway [2J x");
        itself(0, "", "refused: told 0");
        itself(
            500,
            "Internal error occurred: failed calling webhook \"w.example.com\": failed to call \
             webhook: Post \"https://other.shop.svc:443/?timeout=10s\": context deadline exceeded",
            "w.example.com: failed calling webhook \"w.example.com\": failed to call webhook: Post \
             \"https://other.shop.svc:443/?timeout=10s\": context deadline exceeded",
        );
    }

    #[test]
    fn what_does_not_support_dry_runs_is_no_objection() {
        check(
            About::Itself,
            (
                422,
                "admission webhook \"w.example.com\" does not support dry run",
            ),
            "warned: not checked: webhook w.example.com does not support dry runs",
        );
    }

    #[test]
    fn what_the_plan_makes_is_checked_later() {
        let pods = |said, expected: &str| check(About::Pods, (403, said), expected);
        pods(
            "error looking up service account shop/own: serviceaccount \"own\" not found",
            "later: ServiceAccount own is made by this change",
        );
        pods(
            "error looking up service account shop/no: serviceaccount \"no\" not found",
            "refused: error looking up service account shop/no: serviceaccount \"no\" not found",
        );
        pods(
            "no PriorityClass with name high was found",
            "later: PriorityClass high is made by this change",
        );
        pods(
            "pod rejected: RuntimeClass \"sandbox\" not found",
            "later: RuntimeClass sandbox is made by this change",
        );
        pods(
            "ValidatingAdmissionPolicy 'strict' with binding 'b' denied request: no",
            "later: ValidatingAdmissionPolicy strict is made by this change",
        );
        pods(
            "failed quota: q: must specify limits.cpu",
            "later: LimitRange limits is made by this change",
        );
        pods("", "later: you may create no pods, so none was tried");
        check(
            About::Itself,
            (
                500,
                "failed calling webhook \"w\": Post \"https://hook.shop.svc:443/\": refused",
            ),
            "later: Service hook is made by this change",
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |absent, step: &Step| {
            let refusal = Refusal {
                absent: Some(absent),
                ..refusal(404, "")
            };
            let plan = plan(vec![create("Role", "own")]);
            let desired = Manifest::default();
            let made = Made::of(&plan, (&desired, &[]), Some("made"));
            told(judge((step, About::Itself), &refusal, &made))
        };
        let mut map = create("ConfigMap", "a");
        assert_eq!(
            missing(Absent::Namespace, &map),
            "refused: namespace shop does not exist"
        );
        map.id.namespace = Some("made".to_owned());
        assert_eq!(
            missing(Absent::Namespace, &map),
            "later: Namespace made is made first"
        );
        assert_eq!(
            missing(Absent::Kind, &map),
            "refused: the API server does not serve v1 ConfigMap"
        );
        let binding = |role: &str| {
            let body = json!({"roleRef": {"kind": "Role", "name": role}});
            step("RoleBinding", "a", Action::Create(body))
        };
        assert_eq!(
            missing(Absent::Resource, &binding("own")),
            "later: Role own is made by this change"
        );
        assert_eq!(
            missing(Absent::Resource, &binding("other")),
            "refused: Role other does not exist"
        );
    }

    /// Judges what was said about the deletion of a config map, where the plan deletes a few other
    /// things.
    #[track_caller]
    fn check_removal(refusal: &Refusal, expected: &str) {
        let live = json!({"metadata": {"uid": "1"}});
        let delete = || Action::Delete(Precondition::of(&live), Cascade::Background);
        let plan = plan(vec![
            step("ValidatingAdmissionPolicy", "strict", delete()),
            step("ValidatingAdmissionPolicyBinding", "bound", delete()),
            step("ValidatingWebhookConfiguration", "hooks", delete()),
        ]);
        let hooks = plan.steps().last().unwrap().id.clone();
        let body = json!({"kind": hooks.kind, "webhooks": [{"name": "w.example.com"}]});
        let base = Manifest {
            resources: vec![Resource {
                id: hooks,
                api_version: "v1".to_owned(),
                body,
                origin: Origin {
                    template: "web/templates/hooks.yaml".to_owned(),
                    line: 1,
                },
            }],
            ..Manifest::default()
        };
        let (desired, base) = (Manifest::default(), [base]);
        let made = Made::of(&plan, (&desired, &base), None);
        let map = step("ConfigMap", "a", delete());
        assert_eq!(
            told(judge((&map, About::Removal), refusal, &made)),
            expected
        );
    }

    #[test]
    fn deletions_are_judged() {
        let said = |code, said, expected| check_removal(&refusal(code, said), expected);
        said(403, "", "refused: you are not allowed to delete it");
        said(
            409,
            "the UID in the precondition (1) does not match the UID in record (2)",
            "conflict: it was changed, or made anew, since it was read",
        );
        said(
            422,
            "ValidatingAdmissionPolicy 'other' with binding 'b' denied request: no",
            "refused: ValidatingAdmissionPolicy 'other' with binding 'b' denied request: no",
        );
        said(
            422,
            "ValidatingAdmissionPolicy 'strict' with binding 'b' denied request: no",
            "later: ValidatingAdmissionPolicy strict is deleted by this change",
        );
        said(
            422,
            "ValidatingAdmissionPolicy 'other' with binding 'bound' denied request: no",
            "later: ValidatingAdmissionPolicyBinding bound is deleted by this change",
        );
        said(
            500,
            "failed calling webhook \"w.example.com\": failed to call webhook: no endpoints",
            "later: ValidatingWebhookConfiguration hooks is deleted by this change",
        );
        let absent = Refusal {
            absent: Some(Absent::Resource),
            ..refusal(404, "")
        };
        check_removal(&absent, "passed");
    }

    #[test]
    fn long_words_are_cut() {
        use crate::plan::rehearsal::words::LENGTH;
        assert_eq!(one_line(&"a".repeat(700)).chars().count(), LENGTH + 1);
    }

    #[test]
    fn the_owners_of_fields_are_told() {
        let claim = |manager: &str, field: &str| Claim {
            field: field.to_owned(),
            manager: manager.to_owned(),
        };
        let refusal = Refusal {
            claims: vec![
                claim("kubectl", "data.a"),
                claim("hpa", "spec.replicas"),
                claim("kubectl", "data.b"),
            ],
            ..refusal(409, "Apply failed with 3 conflicts")
        };
        let step = create("ConfigMap", "web");
        let judged = judge((&step, About::Itself), &refusal, &Made::default());
        assert_eq!(
            told(judged),
            "owned: field manager hpa owns spec.replicas; field manager kubectl owns data.a, data.b"
        );
    }
}
