//! Makes sure the folder of the web app exists: a server can be built and tested before the page is.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=../web/dist");
    std::fs::create_dir_all("../web/dist")
}
