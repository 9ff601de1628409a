//! Options that say who we are, and who may come in.

use std::path::{Path, PathBuf};

use clap::Args;
use ferromq::{
    CertificateDir, CurveCertificate, CurveKeypair, CurvePublicKey, Policy, SocketOptions, UserList,
};

use crate::failure::Failure;

/// PLAIN or CURVE, as a client or as a server; by default neither.
#[derive(Args)]
pub(crate) struct Security {
    /// PLAIN: the name we come in with
    #[arg(long, value_name = "NAME", requires = "plain_password", help_heading = "Security")]
    #[arg(conflicts_with_all = ["plain_server", "curve_server", "curve_server_key"])]
    plain_user: Option<String>,
    /// PLAIN: its password. The variable keeps it out of the list of processes
    #[arg(long, value_name = "PASSWORD", env = "FERROMQ_PLAIN_PASSWORD", hide_env_values = true)]
    #[arg(help_heading = "Security")]
    plain_password: Option<String>,
    /// PLAIN: let in who has this name and password; may be repeated
    #[arg(long, value_name = "USER:PASSWORD", value_parser = user, help_heading = "Security")]
    #[arg(conflicts_with_all = ["curve_server", "curve_server_key"])]
    plain_server: Vec<(String, String)>,
    /// CURVE: the public key of the server, as 40 characters of Z85 or in a file
    #[arg(long, value_name = "Z85|FILE", help_heading = "Security")]
    #[arg(conflicts_with = "curve_server", allow_hyphen_values = true)]
    // Z85 may begin with -.
    curve_server_key: Option<String>,
    /// CURVE: our keys, in a file of `ferromq keygen`, czmq or pyzmq [default: new ones]
    #[arg(long, value_name = "FILE", requires = "curve_server_key", help_heading = "Security")]
    curve_key: Option<PathBuf>,
    /// CURVE: be a server with the keys in this file
    #[arg(long, value_name = "FILE", requires = "allow", help_heading = "Security")]
    curve_server: Option<PathBuf>,
    /// CURVE: whom a server lets in: those whose certificates are the *.key in a directory,
    /// or anybody
    #[arg(long, value_name = "DIR|any", requires = "curve_server", help_heading = "Security")]
    allow: Option<PathBuf>,
}

fn user(text: &str) -> Result<(String, String), String> {
    let (user, password) = text.split_once(':').ok_or("NAME:PASSWORD is wanted")?;
    Ok((user.into(), password.into()))
}

impl Security {
    /// Adds these to the options of a socket.
    pub(crate) fn apply(&self, options: SocketOptions) -> Result<SocketOptions, Failure> {
        if let (Some(user), Some(password)) = (&self.plain_user, &self.plain_password) {
            return Ok(options.plain_client(user, password));
        }
        if !self.plain_server.is_empty() {
            let users = self.plain_server.iter().map(|(user, password)| (user, password));
            return Ok(options.plain_server(UserList::new(users)));
        }
        if let Some(server) = &self.curve_server_key {
            return Ok(options.curve_client(self.own_keys()?, public_key(server)?));
        }
        if let (Some(keys), Some(allow)) = (&self.curve_server, &self.allow) {
            return Ok(options.curve_server(keypair(keys)?, policy(allow)?));
        }
        Ok(options)
    }

    fn own_keys(&self) -> Result<CurveKeypair, Failure> {
        match &self.curve_key {
            Some(file) => keypair(file),
            None => Ok(CurveKeypair::generate()?),
        }
    }
}

fn policy(allow: &Path) -> Result<Policy, Failure> {
    if allow == Path::new("any") {
        return Ok(Policy::allow_any());
    }
    Ok(CertificateDir::load(allow)?.into())
}

fn keypair(file: &Path) -> Result<CurveKeypair, Failure> {
    let missing = || Failure::said(format!("there is no secret key in {}", file.display()));
    CurveCertificate::load(file)?.keypair().ok_or_else(missing)
}

/// A key as it is, or of a file. A path of 40 characters may look like a key, so that a file
/// comes first; no key is a path to one by chance.
fn public_key(text: &str) -> Result<CurvePublicKey, Failure> {
    match text.parse() {
        Ok(key) if !Path::new(text).exists() => Ok(key),
        _ => Ok(*CurveCertificate::load(text)?.public()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_looks_like_a_key_is_a_path() {
        let keys = CurveKeypair::generate().unwrap();
        assert_eq!(public_key(&keys.public().to_string()).unwrap(), *keys.public());

        let mut path =
            format!("{}/ferromq-{}-", std::env::temp_dir().display(), std::process::id());
        path.extend(std::iter::repeat_n('k', 40_usize.saturating_sub(path.len())));
        CurveCertificate::new(keys.clone()).save_public(&path).unwrap();
        let found = public_key(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(found.unwrap(), *keys.public());
    }
}
