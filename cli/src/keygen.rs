//! `keygen`: a pair of CURVE keys, printed or written to the two files of a certificate.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ferromq::{CurveCertificate, CurveKeypair};

use crate::args::KeygenArgs;
use crate::failure::Failure;
use crate::output::print;

pub(crate) fn run(args: &KeygenArgs) -> Result<(), Failure> {
    let keys = CurveKeypair::generate()?;
    let Some(public) = &args.file else {
        return print(&format!("public: {}\nsecret: {}", keys.public(), keys.secret().to_z85()));
    };
    let mut certificate = CurveCertificate::new(keys);
    for (name, value) in &args.metadata {
        certificate = certificate.with_metadata(name, value)?;
    }
    let secret = beside(public);
    if !args.force {
        // Keys that are gone are gone for good.
        is_free(public)?;
        is_free(&secret)?;
    }
    certificate.save_secret(&secret)?;
    certificate.save_public(public)?;
    print(&format!("{}\n{}", public.display(), secret.display()))
}

/// Where czmq and pyzmq look for the secret key.
fn beside(public: &Path) -> PathBuf {
    let mut secret = OsString::from(public);
    secret.push("_secret");
    secret.into()
}

fn is_free(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(Failure::said(format!(
            "{} is there already; --force writes in its place",
            path.display()
        ))),
        Err(_) => Ok(()),
    }
}
