//! What a caller may: the policy of its credential, asked as IAM would be.

use aws::api::{Call, Fault, Service, Value};
use aws::iam::Verdict;

use super::{Caller, Context};

impl Context {
    /// Refuses what the caller's policy does not allow. Without a policy everything is allowed.
    pub(super) fn allowed(
        &self,
        caller: &Caller,
        call: &Call<'_>,
        input: &Value<'_>,
    ) -> Result<(), Fault> {
        let mut credentials = self.config.credentials.iter();
        let credential = credentials.find(|one| one.access_key_id == caller.access_key_id);
        let Some(policy) = credential.and_then(|credential| credential.policy.as_ref()) else {
            return Ok(());
        };
        // Whoever is known may ask who it is; no policy can take that away.
        if call.service == Service::Sts {
            return Ok(());
        }
        let action = format!("{}:{}", call.service.iam_name(), call.operation);
        for resource in self.resources(caller, call, input) {
            let because = match policy.judge(&action, &resource) {
                Verdict::Allowed => continue,
                Verdict::Denied => "with an explicit deny in an identity-based policy".to_owned(),
                Verdict::NotAllowed => {
                    format!("because no identity-based policy allows the {action} action")
                }
            };
            let arn = &caller.arn;
            let text = format!(
                "User: {arn} is not authorized to perform: {action} on resource: {resource} {because}"
            );
            return Err(Fault::common("AccessDeniedException", "AccessDenied", 403, text));
        }
        Ok(())
    }

    /// The ARNs a call is about; `*` where the operation has none. Read from the member that the
    /// operation itself reads and from no other: what a caller writes beside it must not turn the
    /// question to another resource.
    fn resources(&self, caller: &Caller, call: &Call<'_>, input: &Value<'_>) -> Vec<String> {
        let text = |name: &str| input.get(name).and_then(Value::as_text);
        let one = |name: &str| text(name).into_iter().collect::<Vec<&str>>();
        let (kind, names) = match (call.service, &*call.operation) {
            (Service::Firehose, "ListDeliveryStreams") => ("", Vec::new()),
            (Service::Firehose, _) => ("deliverystream", one("DeliveryStreamName")),
            (_, "PutMetricStream" | "GetMetricStream" | "DeleteMetricStream") => {
                ("metric-stream", one("Name"))
            }
            (_, "StartMetricStreams" | "StopMetricStreams") => {
                let listed = input.list_of("Names").unwrap_or_default().iter();
                ("metric-stream", listed.filter_map(Value::as_text).collect())
            }
            (_, "TagResource" | "UntagResource" | "ListTagsForResource") => {
                return vec![text("ResourceARN").unwrap_or("*").to_owned()];
            }
            _ => ("", Vec::new()),
        };
        if names.is_empty() {
            return vec!["*".to_owned()];
        }
        let (region, account) = (&self.config.region, &caller.account);
        let service = call.service.iam_name();
        let arn = |name: &str| aws::arn::of(service, region, account, &format!("{kind}/{name}"));
        names.into_iter().map(arn).collect()
    }
}
