//! Links libsodium behind libzmq, which needs it for CURVE: see `src/peer/libzmq.rs`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_LIBSODIUM").is_some() {
        println!("cargo:rustc-link-arg=-lsodium");
    }
}
