//! Prints an offer of the `webrtc` crate with the sections of our page, once the crate has accepted our answer to it:
//! `cargo run -p tests --example webrtc_offer > tests/golden/webrtc.offer.sdp` records it again.

#[path = "../tests/golden/local.rs"]
mod local;
#[path = "../tests/golden/webrtc_client.rs"]
mod webrtc_client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = webrtc_client::Client::new(4, 3).await?;
    let offer = client.offer().await?;
    client.accept(local::fixed_answer(&offer, None)?.1).await?;
    client.close().await;
    print!("{offer}");
    Ok(())
}
