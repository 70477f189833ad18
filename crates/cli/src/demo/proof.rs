//! Evidence: exported, verified by the very command that a stranger would use, and once with a byte changed.

use std::path::Path;
use std::process::Command;

use chancery_evidence::bundle::{layout, pack, unpack};
use chancery_ledger::Note;
use chancery_ledger::tile::tiles_between;
use serde_json::{Value, json};

use super::Scene;
use super::out::OutFolder;
use super::story::{Story, require};
use crate::failure::Failure;
use crate::log_source::LogSource;

/// Evidence, trust and log go to the folder.
pub fn export(story: &mut Story<'_>, scene: &Scene, request: &str, out: &OutFolder) -> Result<(), Failure> {
    story.step("evidence", "Ines, who audits, takes the evidence, the trust root and the log away", |tell| {
        let path = format!("/api/v1/requests/{request}/evidence");
        let evidence = scene.cast.auditor.client()?.bytes(&path)?;
        out.write("evidence.zip", &evidence)?;
        for (name, bytes) in scene.installation.trust_files()? {
            out.write(&format!("trust/{name}"), &bytes)?;
        }
        let stranger = scene.installation.anonymous()?;
        out.write("revoked.krl", &stranger.bytes("/api/v1/revocations/ssh")?)?;
        let leaves = export_log(&stranger, out)?;
        let size = evidence.len() / 1024;
        tell.say(&format!("evidence.zip ({size} kB), trust/, log/ ({leaves} leaves), revoked.krl"));
        tell.result(json!({"request": request, "bytes": evidence.len(), "leaves": leaves}));
        Ok(())
    })
}

/// `chancery verify`, in a process of its own that is told of no server.
pub fn verify_offline(story: &mut Story<'_>, out: &OutFolder) -> Result<(), Failure> {
    story.step("verify", "Anybody can verify it, offline: `chancery verify`", |tell| {
        let (code, said) = verify(out, "evidence.zip")?;
        let checks = said.get("checks").and_then(Value::as_array).cloned().unwrap_or_default();
        for check in &checks {
            let text = |name: &str| check.get(name).and_then(Value::as_str).unwrap_or_default();
            tell.quote(&format!("{:<7} {:<24} {}", text("outcome"), text("name"), text("proves")));
        }
        for line in said.get("not_proved").and_then(Value::as_array).into_iter().flatten() {
            tell.quote(&format!("NOT proved: {}", line.as_str().unwrap_or_default()));
        }
        require(code == 0, format!("it exits with {code}; failed: {}", names(&said)))?;
        tell.shown("exit 0");
        tell.result(json!({"exit": code, "checks": checks}));
        Ok(())
    })
}

/// The same with one byte of one file changed.
pub fn one_byte_is_noticed(story: &mut Story<'_>, out: &OutFolder) -> Result<(), Failure> {
    story.step("tamper", "The same evidence with one byte changed", |tell| {
        let (path, tampered) = tampered(&out.path().join("evidence.zip"))?;
        out.write("tampered.zip", &tampered)?;
        tell.say(&format!("one bit of {path} is flipped, and the zip is packed again"));
        let (code, said) = verify(out, "tampered.zip")?;
        tell.quote(&format!("FAIL: {}", names(&said)));
        require(code == 9, format!("it exits with {code}"))?;
        require(!names(&said).is_empty(), "no check is named")?;
        tell.shown("exit 9");
        tell.result(json!({"exit": code, "failed": said.get("failed"), "changed": path}));
        Ok(())
    })
}

fn export_log(client: &crate::client::Client, out: &OutFolder) -> Result<u64, Failure> {
    let source = LogSource::Server(Box::new(client.clone()));
    let checkpoint = source.checkpoint()?;
    let note =
        Note::parse(&checkpoint).map_err(|fault| Failure::Fault(format!("the checkpoint: {fault}")))?;
    let size: u64 = note.text().lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or_default();
    for path in tiles_between(0, size) {
        let bytes =
            source.tile(&path).ok_or_else(|| Failure::Fault(format!("`{path}` is missing from the log")))?;
        out.write(&format!("log/{path}"), &bytes)?;
    }
    out.write("log/checkpoint", &checkpoint)?;
    Ok(size)
}

fn verify(out: &OutFolder, file: &str) -> Result<(i32, Value), Failure> {
    let program =
        std::env::current_exe().map_err(|fault| Failure::Fault(format!("where is this program? {fault}")))?;
    let folder = out.path();
    let ended = Command::new(program)
        .args(["-o", "json", "verify"])
        .arg(folder.join(file))
        .arg("--trust")
        .arg(folder.join("trust"))
        .arg("--log")
        .arg(folder.join("log"))
        .output()
        .map_err(|fault| Failure::Fault(format!("cannot run `chancery verify`: {fault}")))?;
    let said = serde_json::from_slice(&ended.stdout).map_err(|_| {
        Failure::Fault(format!("`chancery verify`: {}", String::from_utf8_lossy(&ended.stderr)))
    })?;
    Ok((ended.status.code().unwrap_or(-1), said))
}

/// Flips a bit in the middle of the request document, and leaves everything else as it is.
fn tampered(evidence: &Path) -> Result<(&'static str, Vec<u8>), Failure> {
    let fault = |fault: &dyn std::fmt::Display| Failure::file(evidence, fault);
    let zip = std::fs::read(evidence).map_err(|error| fault(&error))?;
    let mut files = unpack(&zip).map_err(|error| fault(&error))?;
    let request = files.get_mut(layout::REQUEST).ok_or_else(|| fault(&"it holds no request"))?;
    let middle = request.len() / 2;
    if let Some(byte) = request.get_mut(middle) {
        *byte ^= 1;
    }
    Ok((layout::REQUEST, pack(&files).map_err(|error| fault(&error))?))
}

fn names(said: &Value) -> String {
    let failed = said.get("failed").and_then(Value::as_array).cloned().unwrap_or_default();
    failed.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}
