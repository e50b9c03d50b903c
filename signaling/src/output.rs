//! Writing to what the caller gave us as standard output and standard error. Either may be a full
//! disk, a reader that has gone, or one that reads nothing: that is an error here and never a panic,
//! as it is with `println!` and `eprintln!`, which this crate therefore may not use.

use crate::error::{StartCode, StartError};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;

/// Standard output or error without the library's buffer and lock: a thread that is stuck in writing keeps no other
/// from it.
#[derive(Debug)]
pub struct Unbuffered<F>(pub F);

impl<F: AsFd> Write for Unbuffered<F> {
    /// Waits where the descriptor would not: another process may have made it non-blocking.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(&self.0, bytes) {
                Err(Errno::AGAIN) => poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None).map(drop)?,
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints what a command was asked for, and the end of the line. A reader that has seen enough
/// (`nhipcau doctor | head -1`) is no failure.
pub fn print(text: &str) -> Result<(), StartError> {
    print_to(Unbuffered(io::stdout()), text)
}

fn print_to(mut output: impl Write, text: &str) -> Result<(), StartError> {
    match output.write_all(format!("{text}\n").as_bytes()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(unprintable(&e)),
        _ => Ok(()),
    }
}

fn unprintable(error: &io::Error) -> StartError {
    StartError::new(
        StartCode::Output,
        format!("không in được kết quả ra đầu ra chuẩn: {}", crate::error::cause(error)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{OFlags, fcntl_setfl};
    use std::fs::File;
    use std::io::{Read, pipe};

    #[test]
    fn a_full_disk_is_a_sentence_and_a_reader_that_has_gone_is_none() {
        let full = File::options().write(true).open("/dev/full").expect("every Linux has it");
        let error = print_to(Unbuffered(full), "đạt").expect_err("full");
        assert_eq!(error.code, StartCode::Output);
        assert!(error.sentence.ends_with("đĩa đã đầy"), "{error}");
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        assert_eq!(print_to(Unbuffered(writer), "đạt"), Ok(()));
    }

    #[test]
    fn a_descriptor_that_does_not_wait_is_waited_for() {
        let (mut reader, writer) = pipe().expect("a pipe");
        fcntl_setfl(&writer, OFlags::NONBLOCK).expect("set");
        // More than any pipe holds, so that some of it has to wait.
        let text = "x".repeat(2 << 20);
        let expected = text.len() + 1;
        let writing = std::thread::spawn(move || print_to(Unbuffered(writer), &text));
        let mut read = Vec::new();
        reader.read_to_end(&mut read).expect("read");
        assert_eq!(writing.join().expect("no panic"), Ok(()));
        assert_eq!(read.len(), expected);
    }
}
