//! What can go wrong, in two kinds: a [`Refusal`] is for a site that asked, a [`StartError`] is for the operator who
//! starts the server. Each has a stable code and one sentence.

use protocol::{ErrorCode, ServerMessage};
use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;

/// Something a site asked for and does not get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct Refusal {
    /// Stable; part of the protocol.
    pub code: ErrorCode,
}

impl Refusal {
    pub fn new(code: ErrorCode) -> Refusal {
        Refusal { code }
    }

    /// The sentence shown to people.
    pub fn text(self) -> &'static str {
        text_of(self.code)
    }

    /// The message to a site that is not let in.
    pub fn refused(self) -> ServerMessage {
        ServerMessage::Refused { code: self.code, text: self.text().to_owned() }
    }

    /// The message to a site that is in and goes on.
    pub fn error(self) -> ServerMessage {
        ServerMessage::Error { code: self.code, text: self.text().to_owned() }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Refusal {
        Refusal::new(code)
    }
}

/// The sentence shown to people for a code.
fn text_of(code: ErrorCode) -> &'static str {
    use ErrorCode::*;
    match code {
        UnknownLink => "Liên kết không đúng hoặc đã hết hiệu lực.",
        SeatTaken => "Điểm cầu này đã vào họp ở một thiết bị khác.",
        TakeoverTooSoon => "Điểm cầu này vừa được chuyển sang thiết bị khác. Hãy thử lại sau ít giây.",
        MeetingFull => "Phòng họp đã đủ số điểm cầu cho phép.",
        MeetingLocked => "Chủ tọa đã khóa phòng họp.",
        SiteRemoved => "Chủ tọa đã mời điểm cầu này ra khỏi phòng họp.",
        MeetingEnded => "Cuộc họp đã kết thúc.",
        Version => "Trang đang mở là phiên bản cũ. Hãy tải lại trang.",
        TooManyJoins => "Có quá nhiều lần vào họp trong thời gian ngắn. Hãy thử lại sau một phút.",
        RateLimited => "Gửi quá nhiều yêu cầu trong thời gian ngắn.",
        MessageTooLarge => "Nội dung gửi lên lớn hơn mức cho phép.",
        MalformedMessage => "Máy chủ không đọc được nội dung gửi lên.",
        OutOfOrder => "Yêu cầu này chưa thể thực hiện lúc này.",
        Forbidden => "Vai trò của điểm cầu không cho phép thao tác này.",
        UnknownSite => "Không có điểm cầu này trong phòng họp.",
        OfferMalformed => "Máy chủ không đọc được mô tả âm thanh, hình ảnh của trình duyệt.",
        OfferTooLarge => "Mô tả âm thanh, hình ảnh của trình duyệt lớn hơn mức cho phép.",
        OfferUnsupported => "Trình duyệt này thiếu chức năng cần cho cuộc họp.",
        OfferChanged => "Kết nối âm thanh, hình ảnh đã thay đổi. Hãy tải lại trang.",
        WorkerFull => "Máy chủ đã đủ số kết nối âm thanh, hình ảnh.",
        Draining => "Máy chủ sắp khởi động lại. Hệ thống sẽ tự kết nối lại.",
        Internal => "Máy chủ gặp lỗi. Hãy báo cho cán bộ kỹ thuật.",
    }
}

/// Why the server cannot start or go on, or a command cannot do what it is asked for. The number is the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartCode {
    Internal = 1,
    Config = 2,
    PortTaken = 3,
    AddressRefused = 4,
    DataDirectory = 5,
    Certificate = 6,
    Media = 7,
    MediaWorkerLost = 8,
    Output = 9,
}

impl StartCode {
    /// Stable; what the guide and scripts look for.
    pub fn label(self) -> &'static str {
        match self {
            StartCode::Internal => "E_INTERNAL",
            StartCode::Config => "E_CONFIG",
            StartCode::PortTaken => "E_PORT_TAKEN",
            StartCode::AddressRefused => "E_ADDRESS",
            StartCode::DataDirectory => "E_DATA_DIRECTORY",
            StartCode::Certificate => "E_CERTIFICATE",
            StartCode::Media => "E_MEDIA",
            StartCode::MediaWorkerLost => "E_MEDIA_WORKER_LOST",
            StartCode::Output => "E_OUTPUT",
        }
    }
}

/// A failure at start-up: one code, one sentence that names what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartError {
    pub code: StartCode,
    pub sentence: String,
}

impl StartError {
    pub fn new(code: StartCode, sentence: impl Into<String>) -> StartError {
        StartError { code, sentence: sentence.into() }
    }

    pub fn config(sentence: impl Into<String>) -> StartError {
        StartError::new(StartCode::Config, sentence)
    }

    /// Why an address cannot be listened on, as a sentence that names the setting.
    pub fn cannot_listen(setting: &str, address: SocketAddr, error: &std::io::Error) -> StartError {
        match error.kind() {
            ErrorKind::AddrInUse => StartError::new(
                StartCode::PortTaken,
                format!(
                    "cổng {address} ({setting}) đang có chương trình khác dùng; dừng chương trình đó hoặc đổi thiết lập {setting}"
                ),
            ),
            ErrorKind::PermissionDenied => StartError::new(
                StartCode::AddressRefused,
                format!("không có quyền mở cổng {address} ({setting}); chọn cổng từ 1024 trở lên"),
            ),
            _ => StartError::new(
                StartCode::AddressRefused,
                format!("không mở được {address} ({setting}): {error}"),
            ),
        }
    }

    pub fn exit_code(&self) -> u8 {
        self.code as u8
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.label(), self.sentence)
    }
}

impl std::error::Error for StartError {}

/// Why the system refuses to write, as the end of a sentence.
pub fn cause(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "đĩa đã đầy".to_owned(),
        ErrorKind::PermissionDenied => "không có quyền ghi".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "đĩa chỉ cho đọc".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_protocol_has_a_sentence_and_its_own_name() {
        let generated = include_str!("../../web/src/protocol/gen.ts");
        let codes = generated.lines().find_map(|l| l.strip_prefix("export type ErrorCode = "));
        let codes: Vec<_> = codes.expect("a union").split('"').skip(1).step_by(2).collect();
        assert!(codes.len() > 20, "{codes:?}");
        for name in codes {
            let code: ErrorCode = serde_json::from_value(name.into()).expect(name);
            assert_eq!(code.to_string(), name);
            assert!(text_of(code).ends_with('.'), "{name} is a sentence");
        }
    }

    #[test]
    fn start_errors_are_one_line_with_a_code() {
        let error = StartError::new(StartCode::PortTaken, "cổng 8080 đang có chương trình khác dùng");
        assert_eq!(error.to_string(), "E_PORT_TAKEN: cổng 8080 đang có chương trình khác dùng");
        assert_eq!(error.exit_code(), 3);
    }
}
