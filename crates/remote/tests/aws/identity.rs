//! Who we are: the chain, profiles, roles, regions and endpoints.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use remote::Secret;
use remote::aws::s3::{From, S3};
use remote::aws::{AssumeRole, Fault, Identity, IdentityConfig, Kind};
use testkit::{Peer, Reply, TempDir};

use super::support::{ID, LIST_EMPTY, SECRET, config, credential, is_signed, keys, load, run};

/// The access key id that signs a call of this identity; S3 is `peer`.
async fn signs(identity: &Identity, peer: &Peer) -> Result<String, Fault> {
    let before = peer.count();
    S3::new(identity.clone()).list("bucket", "", From::default()).await?;
    let request = peer.requests().remove(before);
    Ok(credential(&request).split('/').next().unwrap_or_default().to_owned())
}

fn bucket() -> Peer {
    Peer::start(Reply::body(200, "application/xml", LIST_EMPTY))
}

/// Variables of a process with a home, an S3 and an STS, and no keys.
fn home(dir: &Path, s3: &Peer, sts: &Peer) -> Vec<(&'static str, String)> {
    vec![
        ("HOME", dir.display().to_string()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_ENDPOINT_URL_S3", s3.url("")),
        ("AWS_ENDPOINT_URL_STS", sts.url("")),
        ("AWS_ENDPOINT_URL_SSO", sts.url("")),
    ]
}

fn credentials_xml(id: &str, life: Duration) -> Reply {
    let expires = Timestamp::now() + life;
    let text = format!(
        "<R xmlns=\"x\"><Result><Credentials><AccessKeyId>{id}</AccessKeyId>\
         <SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>tok&amp;en</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials></Result></R>"
    );
    Reply::body(200, "text/xml", text)
}

fn credentials_json(id: &str) -> String {
    let expires = Timestamp::now() + Duration::from_secs(3600);
    format!(
        "{{\"Version\":1,\"Code\":\"Success\",\"AccessKeyId\":\"{id}\",\
         \"SecretAccessKey\":\"{SECRET}\",\"Token\":\"t\",\"SessionToken\":\"t\",\
         \"Expiration\":\"{expires}\"}}"
    )
}

const HOUR: Duration = Duration::from_secs(3600);

/// *Scenario:* keys, session token and region in the environment, as in Lambda; files, roles and
/// metadata besides.
/// *Guarantees:* the keys sign, the token is sent and signed, nothing else is asked.
#[test]
fn keys_of_the_environment_are_enough() {
    let (s3, other) = (bucket(), Peer::start(Reply::status(500)));
    let dir = TempDir::new("aws");
    let mut variables = keys();
    variables.extend([
        ("HOME", dir.path().display().to_string()),
        ("AWS_SESSION_TOKEN", "the token".to_owned()),
        ("AWS_ENDPOINT_URL_S3", s3.url("")),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", other.url("/")),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere".to_owned()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", other.url("")),
    ]);
    run(async {
        let identity = load(config(), variables).await.unwrap();
        assert_eq!(signs(&identity, &s3).await.unwrap(), ID);
        assert_eq!(identity.region(), Some("eu-west-1"));
    });
    let request = s3.requests().remove(0);
    assert!(is_signed(&request, SECRET), "{request:?}");
    assert!(!is_signed(&request, "another secret"));
    assert_eq!(request.header("x-amz-security-token"), Some("the token"));
    assert!(credential(&request).ends_with("/eu-west-1/s3/aws4_request"));
    assert_eq!(other.count(), 0);
}

/// *Scenario:* both shared files, with comments, a profile in either, the same profile in both.
/// *Guarantees:* AWS_PROFILE, the default profile, the settings' profile (before keys in the
/// environment); the credentials file wins; region and endpoint of the profile count.
#[test]
fn profiles_are_read() {
    let (s3, sts) = (bucket(), Peer::start(Reply::status(500)));
    let dir = TempDir::new("aws");
    std::fs::create_dir(dir.join(".aws")).unwrap();
    let profile_config = format!(
        "# a comment\n[default]\nregion = us-west-2 # mine\n[profile dev]\nregion=eu-north-1\n\
         aws_access_key_id=LOSES\naws_secret_access_key=x\nservices = mine\n\
         [profile \"two words\"]\naws_access_key_id = AKTWO\naws_secret_access_key = {SECRET}\n\
         [services mine]\ns3 =\n  endpoint_url = {}\n  other = 1\n",
        s3.url("/")
    );
    dir.write(".aws/config", profile_config);
    dir.write(
        ".aws/credentials",
        format!(
            "[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key = {SECRET}\n\n\
             [dev]\naws_access_key_id = AKDEV\naws_secret_access_key = {SECRET}\n"
        ),
    );
    let mut base = home(dir.path(), &s3, &sts);
    base.retain(|(name, _)| *name != "AWS_REGION");
    run(async {
        let identity = load(config(), base.clone()).await.unwrap();
        assert_eq!(signs(&identity, &s3).await.unwrap(), "AKDEFAULT");
        assert_eq!(identity.region(), Some("us-west-2"));
        let mut dev = base.clone();
        dev.retain(|(name, _)| *name != "AWS_ENDPOINT_URL_S3");
        dev.push(("AWS_PROFILE", "dev".to_owned()));
        let identity = load(config(), dev.clone()).await.unwrap();
        assert_eq!(signs(&identity, &s3).await.unwrap(), "AKDEV");
        assert_eq!(identity.region(), Some("eu-north-1"));
        dev.push(("AWS_DEFAULT_REGION", "ap-south-1".to_owned()));
        assert_eq!(load(config(), dev.clone()).await.unwrap().region(), Some("ap-south-1"));
        dev.push(("AWS_REGION", "ap-east-1".to_owned()));
        assert_eq!(load(config(), dev.clone()).await.unwrap().region(), Some("ap-east-1"));
        let own = IdentityConfig { region: Some("sa-east-1".to_owned()), ..config() };
        assert_eq!(load(own, dev).await.unwrap().region(), Some("sa-east-1"));
        let mut with_keys = base.clone();
        with_keys.extend(keys());
        let two = IdentityConfig { profile: Some("two words".to_owned()), ..config() };
        let identity = load(two, with_keys).await.unwrap();
        assert_eq!(signs(&identity, &s3).await.unwrap(), "AKTWO");
    });
}

/// *Scenario:* a profile with role_arn and source_profile, twice over.
/// *Guarantees:* the keys at the end assume the first role, that role the second, which signs.
#[test]
fn roles_are_assumed_one_by_another() {
    let s3 = bucket();
    let sts = Peer::scripted(|request| {
        let second = request.text().contains("role%2Fsecond");
        credentials_xml(if second { "AKSECOND" } else { "AKFIRST" }, HOUR)
    });
    let dir = TempDir::new("aws");
    std::fs::create_dir(dir.join(".aws")).unwrap();
    let text = format!(
        "[profile top]\nrole_arn = arn:aws:iam::1:role/second\nsource_profile = mid\n\
         external_id = e x\nrole_session_name = me\nduration_seconds = 1200\n\
         [profile mid]\nrole_arn = arn:aws:iam::1:role/first\nsource_profile = mid\n\
         aws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"
    );
    dir.write(".aws/config", text);
    let mut variables = home(dir.path(), &s3, &sts);
    variables.push(("AWS_PROFILE", "top".to_owned()));
    run(async {
        let identity = load(config(), variables).await.unwrap();
        assert_eq!(signs(&identity, &s3).await.unwrap(), "AKSECOND");
    });
    let [first, second] = <[_; 2]>::try_from(sts.requests()).unwrap();
    assert!(is_signed(&first, SECRET) && is_signed(&second, SECRET));
    assert!(credential(&first).starts_with(&format!("{ID}/")));
    assert!(credential(&first).ends_with("/eu-west-1/sts/aws4_request"));
    assert!(credential(&second).starts_with("AKFIRST/"));
    assert_eq!(second.header("x-amz-security-token"), Some("tok&en"));
    assert_eq!(
        second.text(),
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fsecond\
         &RoleSessionName=me&DurationSeconds=1200&ExternalId=e%20x"
    );
}

/// STS, a container's agent, an instance's metadata and SSO in one.
fn agent() -> Peer {
    Peer::scripted(|request| match request.target.as_str() {
        "/latest/api/token" => Reply::body(200, "text/plain", "imds"),
        "/latest/meta-data/iam/security-credentials/" => Reply::body(200, "text/plain", "a role\n"),
        "/latest/meta-data/iam/security-credentials/a%20role" => {
            Reply::json(200, &credentials_json("AKINSTANCE"))
        }
        "/task" => Reply::json(200, &credentials_json("AKTASK")),
        "/" => credentials_xml("AKWEB", HOUR),
        target if target.starts_with("/federation/credentials") => Reply::json(
            200,
            &format!(
                "{{\"roleCredentials\":{{\"accessKeyId\":\"AKSSO\",\"secretAccessKey\":\
                 \"{SECRET}\",\"sessionToken\":\"t\",\"expiration\":4102444800000}}}}"
            ),
        ),
        _ => Reply::status(404),
    })
}

/// *Scenario:* web identity, a credential process, a container with a token file, an instance, SSO.
/// *Guarantees:* each gives the credentials that sign, asked in its own way.
#[test]
fn other_sources_give_credentials() {
    let s3 = bucket();
    let agent = agent();
    let dir = TempDir::new("aws");
    std::fs::create_dir_all(dir.join(".aws/sso/cache")).unwrap();
    let token = dir.write("token", " the token \n");
    dir.write("printed", credentials_json("AKPROCESS"));
    let text = format!(
        "[profile process]\ncredential_process = cat '{}'\n\
         [profile sso]\nsso_session = mine\nsso_account_id = 123\nsso_role_name = r w\n\
         [sso-session mine]\nsso_start_url = https://x\nsso_region = eu-west-1\n",
        dir.join("printed").display()
    );
    dir.write(".aws/config", text);
    // The name of the file is the SHA-1 of "mine".
    dir.write(
        ".aws/sso/cache/8034c43d15bb7ef42e2cc24255217acfc5f4b2f4.json",
        r#"{"accessToken":"sso token","expiresAt":"2099-01-01T00:00:00Z"}"#,
    );
    let base = home(dir.path(), &s3, &agent);
    let check = |more: Vec<(&'static str, String)>, expect: &str| {
        let mut variables = base.clone();
        variables.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
        variables.extend(more);
        run(async {
            let identity = load(config(), variables).await.unwrap();
            assert_eq!(signs(&identity, &s3).await.unwrap(), expect);
        });
    };
    let file = token.display().to_string();
    check(vec![("AWS_PROFILE", "process".to_owned())], "AKPROCESS");
    check(
        vec![
            ("AWS_WEB_IDENTITY_TOKEN_FILE", file.clone()),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/web".to_owned()),
        ],
        "AKWEB",
    );
    let request = agent.requests().pop().unwrap();
    assert!(request.text().ends_with("&RoleSessionName=hydrant&WebIdentityToken=the%20token"));
    assert_eq!(request.header("authorization"), None);
    check(
        vec![
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.url("/task")),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file),
        ],
        "AKTASK",
    );
    assert_eq!(agent.requests().pop().unwrap().header("authorization"), Some("the token"));
    check(vec![("AWS_PROFILE", "sso".to_owned())], "AKSSO");
    let request = agent.requests().pop().unwrap();
    assert_eq!(request.target, "/federation/credentials?account_id=123&role_name=r%20w");
    assert_eq!(request.header("x-amz-sso_bearer_token"), Some("sso token"));
    check(
        vec![
            ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", agent.url("/")),
        ],
        "AKINSTANCE",
    );
    assert_eq!(agent.requests().pop().unwrap().header("x-aws-ec2-metadata-token"), Some("imds"));
}

const BROKEN: &str = "[profile half]\naws_access_key_id = A\n\
        [profile loop]\nrole_arn = a\nsource_profile = pool\n\
        [profile pool]\nrole_arn = a\nsource_profile = loop\n\
        [profile alone]\nrole_arn = a\n[profile mfa]\nrole_arn = a\nmfa_serial = b\n\
        [profile fails]\ncredential_process = echo no such badge >&2; exit 3\n\
        [profile prints]\ncredential_process = echo hello\n[profile empty]\nregion = eu-west-1\n\
        [profile sso]\nsso_start_url = x\nsso_account_id = 1\nsso_role_name = r\n\
        sso_region = eu-west-1\n[profile word]\nrole_arn = a\ncredential_source = Elsewhere\n";

/// *Scenario:* sources that are there and broken, and none at all.
/// *Guarantees:* a fault that names the source, what is wrong, and what to do; nothing is passed over.
#[test]
fn broken_sources_are_told() {
    let (s3, agent) = (bucket(), Peer::start(Reply::status(404)));
    let dir = TempDir::new("aws");
    std::fs::create_dir_all(dir.join(".aws/sso/cache")).unwrap();
    dir.write(".aws/config", BROKEN);
    let base = home(dir.path(), &s3, &agent);
    let fault = |config: IdentityConfig, more: Vec<(&'static str, String)>| {
        let mut variables = base.clone();
        variables.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
        variables.extend(more);
        run(async {
            let identity = load(config, variables).await?;
            signs(&identity, &s3).await
        })
        .unwrap_err()
    };
    let check = |more: Vec<(&'static str, String)>, parts: &[&str]| {
        let fault = fault(config(), more);
        assert_eq!(fault.kind, Kind::NoCredentials, "{fault:?}");
        let text = format!("{fault} {}", fault.remedy.clone().unwrap_or_default());
        for part in parts {
            assert!(text.contains(part), "'{part}' is not in: {text}");
        }
    };
    let profile = |name: &str| vec![("AWS_PROFILE", name.to_owned())];
    check(profile("half"), &["profile 'half'", "only one of aws_access_key_id"]);
    check(profile("loop"), &["circle: loop -> pool"]);
    check(profile("alone"), &["neither source_profile nor credential_source"]);
    check(profile("mfa"), &["mfa_serial"]);
    check(profile("none"), &["profile 'none'", "no such profile", ".aws/config"]);
    check(profile("word"), &["Ec2InstanceMetadata"]);
    check(profile("fails"), &["credential_process (echo)", "exit status: 3", "no such badge"]);
    check(profile("prints"), &["Version 1"]);
    check(profile("sso"), &["aws sso login --profile sso"]);
    check(vec![("AWS_ACCESS_KEY_ID", "A".to_owned())], &["only one of AWS_ACCESS_KEY_ID"]);
    check(vec![("AWS_WEB_IDENTITY_TOKEN_FILE", "x".to_owned())], &["AWS_ROLE_ARN"]);
    check(
        vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/".to_owned())],
        &["neither https"],
    );
    check(
        vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.url("/"))],
        &["in container", "answered 404"],
    );
    check(
        Vec::new(),
        &[
            "environment (",
            "profile 'default' (not in",
            "web identity (",
            "container (",
            "DISABLED",
        ],
    );
    check(
        vec![
            ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
            (
                "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                format!("http://127.0.0.1:{}", testkit::closed_port()),
            ),
        ],
        &["instance metadata (127.0.0.1:", "hop limit", "AWS_ACCESS_KEY_ID"],
    );
    let empty = IdentityConfig { profile: Some("empty".to_owned()), ..config() };
    let fault = fault(empty, keys());
    assert!(fault.to_string().contains("no credentials and no way to any"), "{fault}");
}

fn with_role() -> IdentityConfig {
    IdentityConfig {
        assume_role: Some(AssumeRole {
            role_arn: "arn:aws:iam::111122223333:role/reader".to_owned(),
            external_id: Some(Secret::new("x1")),
            session_name: None,
        }),
        ..config()
    }
}

/// *Scenario:* assume_role, ten calls at once, and STS slow.
/// *Guarantees:* one AssumeRole with the external id; its credentials sign all ten.
#[test]
fn assumed_role_is_fetched_once() {
    let s3 = bucket();
    let slow = credentials_xml("AKROLE", HOUR).after(Duration::from_millis(100));
    let sts = Peer::start(slow);
    let dir = TempDir::new("aws");
    let mut variables = keys();
    variables.extend(home(dir.path(), &s3, &sts));
    run(async {
        let identity = load(with_role(), variables).await.unwrap();
        let calls: Vec<_> = (0..10)
            .map(|_| {
                let client = S3::new(identity.clone());
                tokio::spawn(async move { client.list("bucket", "", From::default()).await })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    });
    assert_eq!(sts.count(), 1);
    let asked = sts.requests().remove(0);
    assert!(asked.text().ends_with("&RoleSessionName=hydrant&ExternalId=x1"), "{}", asked.text());
    assert!(credential(&asked).starts_with(ID) && is_signed(&asked, SECRET));
    assert_eq!(s3.count(), 10);
    assert!(s3.requests().iter().all(|request| credential(request).starts_with("AKROLE/")));
}

/// *Scenario:* credentials of a few seconds, renewed in the second half of their life; then STS fails.
/// *Guarantees:* renewed before they expire; the old ones are used while they are valid, and not
/// beyond; then the fault is STS's, and says that it may pass.
#[test]
fn credentials_are_renewed_before_they_expire() {
    let s3 = bucket();
    let asked = AtomicUsize::new(0);
    let sts = Peer::scripted(move |_| {
        let number = asked.fetch_add(1, Ordering::SeqCst) + 1;
        if number > 2 {
            return Reply::status(500);
        }
        credentials_xml(&format!("AK{number}"), Duration::from_secs(2))
    });
    let dir = TempDir::new("aws");
    let mut variables = keys();
    variables.extend(home(dir.path(), &s3, &sts));
    run(async {
        let identity = load(with_role(), variables).await.unwrap();
        assert_eq!(signs(&identity, &s3).await.unwrap(), "AK1");
        let start = tokio::time::Instant::now();
        assert_eq!(signs(&identity, &s3).await.unwrap(), "AK1");
        tokio::time::sleep_until(start + Duration::from_millis(1100)).await;
        assert_eq!(signs(&identity, &s3).await.unwrap(), "AK2");
        let second = tokio::time::Instant::now();
        tokio::time::sleep_until(second + Duration::from_millis(1100)).await;
        assert_eq!(signs(&identity, &s3).await.unwrap(), "AK2");
        assert_eq!(sts.count(), 3);
        tokio::time::sleep_until(second + Duration::from_millis(2200)).await;
        let fault = signs(&identity, &s3).await.unwrap_err();
        assert!(fault.passes(), "{fault:?}");
        assert!(fault.doing.contains("ListObjectsV2 s3://bucket/ (credentials: AssumeRole arn:"));
    });
}

/// *Scenario:* STS denies; the role's name is in the fault.
/// *Guarantees:* which action on which role, for whose credentials.
#[test]
fn denied_role_is_explained() {
    let (s3, dir) = (bucket(), TempDir::new("aws"));
    let sts = Peer::start(Reply::body(
        403,
        "text/xml",
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: u is not \
         authorized</Message></Error><RequestId>r</RequestId></ErrorResponse>",
    ));
    let mut variables = keys();
    variables.extend(home(dir.path(), &s3, &sts));
    let fault = run(async {
        let identity = load(with_role(), variables).await.unwrap();
        signs(&identity, &s3).await.unwrap_err()
    });
    assert_eq!((fault.kind, fault.status), (Kind::Denied, 403));
    let remedy = fault.remedy.unwrap();
    for part in ["sts:AssumeRole on arn:aws:iam::111122223333:role/reader", "external id", "trust"]
    {
        assert!(remedy.contains(part), "{remedy}");
    }
    assert_eq!(s3.count(), 0);
}

/// *Scenario:* endpoints in the settings, the variables, the profile, and the switch that ignores them.
/// *Guarantees:* the settings win, then the service's variable, then the general one; the switch
/// leaves the settings' alone; what is no url is refused by name.
#[test]
fn endpoints_are_found_in_order() {
    let peers: Vec<Peer> = (0..3).map(|_| bucket()).collect();
    let [own, service, general] = <[Peer; 3]>::try_from(peers).ok().unwrap();
    let mut variables = keys();
    variables.push(("AWS_ENDPOINT_URL", general.url("")));
    let with = |url: Option<String>| IdentityConfig { endpoint_url: url, ..config() };
    run(async {
        let identity = load(config(), variables.clone()).await.unwrap();
        signs(&identity, &general).await.unwrap();
        variables.push(("AWS_ENDPOINT_URL_S3", service.url("")));
        let identity = load(config(), variables.clone()).await.unwrap();
        signs(&identity, &service).await.unwrap();
        let identity = load(with(Some(own.url("/"))), variables.clone()).await.unwrap();
        signs(&identity, &own).await.unwrap();
        assert_eq!(own.requests().remove(0).target.split('?').next(), Some("/bucket"));
        variables.push(("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE".to_owned()));
        let identity = load(with(Some(own.url(""))), variables.clone()).await.unwrap();
        signs(&identity, &own).await.unwrap();
        for bad in ["localhost:9000", "ftp://x", "http://x/?a=b", "http://user:pa55@x"] {
            let fault = load(with(Some(bad.to_owned())), keys()).await.unwrap_err();
            let text = fault.to_string();
            assert!(text.contains("endpoint_url of the settings"), "{text}");
            assert!(!text.contains("pa55"), "{text}");
        }
        let bad = IdentityConfig { region: Some("eu-west-1.evil.com/".to_owned()), ..config() };
        assert_eq!(load(bad, keys()).await.unwrap_err().code, "BadRegion");
    });
}

/// *Scenario:* what might be printed by accident: an identity, variables, a configuration.
/// *Guarantees:* no secret shows.
#[test]
fn secrets_are_not_printed() {
    let mut variables = keys();
    variables.push(("AWS_SESSION_TOKEN", "tok3n".to_owned()));
    let text = run(async {
        let all = variables.clone().into_iter().collect::<remote::aws::Variables>();
        let identity = load(with_role(), variables).await.unwrap();
        format!("{identity:?} {all:?} {:?}", with_role())
    });
    for secret in [SECRET, "tok3n", "x1"] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// *Scenario:* this test once more, in a process with a proxy in its environment: credentials of the
/// instance, an object of S3.
/// *Guarantees:* the instance is asked past the proxy, S3 through it.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the process that this test starts is told by its environment"
)]
fn metadata_is_asked_past_the_proxy() {
    let Some(at) = std::env::var_os("HYDRANT_TEST_METADATA") else {
        let (agent, proxy) = (agent(), bucket());
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "identity::metadata_is_asked_past_the_proxy"])
            .env("HYDRANT_TEST_METADATA", agent.url(""))
            .env("HTTP_PROXY", proxy.url("/"))
            .env("http_proxy", proxy.url("/"))
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        assert_eq!((agent.count(), proxy.count()), (3, 1));
        return;
    };
    let variables = vec![
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", at.into_string().unwrap()),
        ("AWS_ENDPOINT_URL_S3", "http://s3.invalid".to_owned()),
    ];
    run(async {
        let s3 = S3::new(load(config(), variables).await.unwrap());
        s3.list("bucket", "", From::default()).await.unwrap();
    });
}
