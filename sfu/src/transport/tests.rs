//! A client on a virtual wire: `rtc-dtls` as DTLS client, our own SRTP contexts the other way round.

mod answers;
mod floods;
mod garbage;
mod handshake;
mod ice;
mod paths;
mod wire;
