#!/bin/sh
# Makes the speech of the demo sites: espeak-ng's Vietnamese voice, 48 kHz mono, Opus at 24 kbit/s
# in 20 ms packets. The sentences are ours; espeak-ng's output carries no licence of its own.
# Needs: espeak-ng, sox or ffmpeg, opusenc (Debian package opus-tools). Run it in this directory.
set -eu
say() { # file, voice pitch, words per minute, sentence
  espeak-ng -v vi -p "$2" -s "$3" -w /tmp/nhipcau-speech.wav "$4"
  ffmpeg -loglevel error -y -i /tmp/nhipcau-speech.wav -ar 48000 -ac 1 \
    -af "silenceremove=start_periods=1:start_threshold=-50dB,loudnorm=I=-20:TP=-3" /tmp/nhipcau-48k.wav
  opusenc --quiet --speech --bitrate 24 --framesize 20 --discard-comments --serial 1 --padding 0 \
    /tmp/nhipcau-48k.wav "$1.ogg"
}
say 0 45 150 "Kính thưa chủ tọa, điểm cầu xã An Phước xin báo cáo: có mặt mười hai trên mười hai đại biểu, âm thanh và hình ảnh tốt."
say 1 60 145 "Kính thưa chủ tọa, điểm cầu xã Bình Sơn xin báo cáo: đường truyền ổn định, các đại biểu đã có mặt đông đủ."
say 2 30 150 "Kính thưa chủ tọa, điểm cầu xã Phước Thái xin báo cáo: hồ sơ một cửa được giải quyết đúng hạn trong tháng qua."
say 3 75 155 "Kính thưa chủ tọa, điểm cầu thị trấn Long Thành xin báo cáo: chúng tôi nghe rõ và xin được phát biểu ý kiến."
rm -f /tmp/nhipcau-speech.wav /tmp/nhipcau-48k.wav
