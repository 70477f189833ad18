use super::{File, Settings};
use crate::cli::Global;

fn check(flag: Option<&str>, profile: Option<&str>, project: &str, user: &str, expected: (&str, &str)) {
    let global =
        Global { server: flag.map(str::to_owned), profile: profile.map(str::to_owned), ..Global::default() };
    let (project, user): (File, File) = (toml::from_str(project).unwrap(), toml::from_str(user).unwrap());
    let settings = Settings::merge(&global, &project, &user).unwrap();
    assert_eq!((settings.server().unwrap_or(""), settings.profile()), expected);
}

#[test]
fn flag_then_project_then_user() {
    let (project, user) = ("server = \"https://project\"", "server = \"https://user/\"");
    check(Some("https://flag"), None, project, user, ("https://flag", "default"));
    check(None, None, project, user, ("https://project", "default"));
    check(None, None, "", user, ("https://user", "default"));
    check(None, None, "", "", ("", "default"));
}

#[test]
fn a_profile_picks_its_server() {
    let user = "server = \"https://one\"\nprofile = \"work\"\n[profiles.work]\nserver = \"https://two\"";
    check(None, None, "", user, ("https://two", "work"));
    check(None, Some("home"), "", user, ("https://one", "home"));
}

#[test]
fn what_nobody_knows_is_refused() {
    assert!(toml::from_str::<File>("servr = \"x\"").is_err());
    let global = Global { profile: Some("../evil".to_owned()), ..Global::default() };
    assert!(Settings::merge(&global, &File::default(), &File::default()).is_err());
}
