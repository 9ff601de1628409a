//! [`Keys`]: those of CURVE for both ends. The end that binds is the server, and lets
//! anybody in.

use std::fmt;
use std::io;
use std::str::FromStr;

use crate::cell::{Cell, Mechanism};

/// In Z85.
#[derive(Debug, Clone)]
pub struct Keys {
    pub server: Pair,
    pub client: Pair,
}

#[derive(Debug, Clone)]
pub struct Pair {
    pub public: String,
    pub secret: String,
}

impl Keys {
    /// Fresh ones, if the cell needs any.
    pub fn of(cell: Cell) -> io::Result<Option<Self>> {
        Ok(match cell.mechanism {
            Mechanism::Null => None,
            Mechanism::Curve => Some(Self { server: Pair::generate()?, client: Pair::generate()? }),
        })
    }
}

#[cfg(feature = "curve")]
impl Pair {
    fn generate() -> io::Result<Self> {
        let pair = ferromq::CurveKeypair::generate()?;
        Ok(Self { public: pair.public().to_string(), secret: pair.secret().to_z85() })
    }
}

#[cfg(not(feature = "curve"))]
impl Pair {
    fn generate() -> io::Result<Self> {
        Err(io::Error::other("this was built without the feature `curve`"))
    }
}

/// Z85 has no comma.
impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, client } = self;
        write!(f, "{},{},{},{}", server.public, server.secret, client.public, client.secret)
    }
}

impl FromStr for Keys {
    type Err = &'static str;

    fn from_str(keys: &str) -> Result<Self, Self::Err> {
        let keys: Vec<String> = keys.split(',').map(str::to_owned).collect();
        let [server, server_secret, client, client_secret] =
            keys.try_into().map_err(|_| "these are not four keys")?;
        Ok(Self {
            server: Pair { public: server, secret: server_secret },
            client: Pair { public: client, secret: client_secret },
        })
    }
}
