//! A publisher sends to all who subscribe; each gets what begins with its
//! prefix.
//!
//! ```text
//!                  ┌──► SUB "news."         everything under news
//!   XPUB ──────────┤
//!                  └──► SUB "news.sport"    less
//! ```
//!
//! What is published before a subscription has arrived is missed. XPUB is a
//! PUB that also receives the subscriptions, so it can wait for them.
//!
//! Without arguments it plays all sides and ends; with a role it plays one of
//! them, in any order and each in its own terminal:
//!
//! ```text
//! cargo run --example pub_sub
//!
//! cargo run --example pub_sub publisher tcp://127.0.0.1:5556
//! cargo run --example pub_sub subscriber tcp://127.0.0.1:5556 news.sport
//! ```
//!
//! Both stay, and each subscriber that comes starts the news again.
//! `examples/pub_sub.py` has the same roles for Python with pyzmq; any side
//! talks to any.

use ferromq::{Error, IntoEndpoint, SocketOptions, SubSocket, XPubSocket, XPubVerbosity};

const NEWS: [(&str, &str); 5] = [
    ("news.world", "Bridge opens after ten years"),
    ("news.sport", "Home team wins at last"),
    ("weather", "Rain, and nobody here has asked for it"),
    ("news.world", "Bridge closes for repairs"),
    ("news.sport", "Away team asks for a rematch"),
];

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let Err(error) = play(&args).await {
        eprintln!("pub_sub: {error}");
        std::process::exit(1)
    }
}

async fn play(args: &[&str]) -> Result<(), Error> {
    match *args {
        [] => all().await,
        ["publisher", endpoint] => publisher(endpoint).await,
        ["subscriber", endpoint, prefix] => subscriber(prefix, endpoint, usize::MAX).await,
        _ => {
            eprintln!("usage: pub_sub [publisher ENDPOINT | subscriber ENDPOINT PREFIX]");
            std::process::exit(2)
        }
    }
}

async fn all() -> Result<(), Error> {
    let xpub = XPubSocket::new();
    let endpoint = xpub.bind("tcp://127.0.0.1:0").await?;
    println!("publisher   binds    {endpoint}");
    let publisher = async {
        wait_for_subscription(&xpub).await?;
        wait_for_subscription(&xpub).await?;
        publish(&xpub).await
    };
    let (all, some) = (endpoint.clone(), endpoint);
    tokio::try_join!(publisher, subscriber("news.", all, 4), subscriber("news.sport", some, 2))?;
    println!("everyone    is done");
    Ok(())
}

async fn publisher(endpoint: &str) -> Result<(), Error> {
    // By default XPUB hears only of the first who wants a prefix.
    let options = SocketOptions::new().xpub_verbosity(XPubVerbosity::Subscriptions);
    let xpub = XPubSocket::with_options(options);
    println!("publisher   binds    {}", xpub.bind(endpoint).await?);
    loop {
        wait_for_subscription(&xpub).await?;
        publish(&xpub).await?;
    }
}

/// A subscription is one frame: an octet 1, then the prefix. With 0 it ends.
async fn wait_for_subscription(xpub: &XPubSocket) -> Result<(), Error> {
    loop {
        if let Some((1, prefix)) = xpub.recv().await?.first().split_first() {
            println!("publisher   serves   {:?}", String::from_utf8_lossy(prefix));
            return Ok(());
        }
    }
}

async fn publish(xpub: &XPubSocket) -> Result<(), Error> {
    for (topic, headline) in NEWS {
        println!("publisher   says     {topic:<10}  {headline}");
        xpub.send([topic, headline]).await?;
    }
    Ok(())
}

async fn subscriber(prefix: &str, from: impl IntoEndpoint, count: usize) -> Result<(), Error> {
    let sub = SubSocket::new();
    sub.subscribe(prefix)?;
    sub.connect(from)?;
    for _ in 0..count {
        let news = sub.recv().await?;
        let frames: Vec<_> = news.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
        println!("{prefix:<10}  hears    {}", frames.join("  "));
    }
    Ok(())
}
