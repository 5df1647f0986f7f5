#!/usr/bin/python3
"""An RTSP camera for tests: GStreamer's RTSP server with a test picture and a test tone.

`READY <port>` on standard output says that it listens. SIGTERM ends it: sessions are closed, the
media is unprepared. It dies with the process that started it.

With --dump FILE every access unit and every audio frame that is sent goes into FILE, one JSON object
a line. The probes sit BEHIND the RTP payloaders and put the units together again from the RTP
packets, so that a line tells what was sent, whatever the payloader adds or leaves out:
  video  SHA-256 over (4-byte big-endian length + NAL unit) for each NAL unit, in the order sent;
         that is the AVCC form. The encoders write parameter sets before each random access picture and,
         as set here, no access unit delimiters; the payloaders (config-interval=0, aggregate-mode=none) add
         nothing, and send single NAL units and FU-A (RFC 6184 5.6, 5.8) or FU (RFC 7798 4.4.1, 4.4.3).
         With B-frames x265enc makes open GOPs: their random access pictures are CRA, followed by RASL.
  audio  SHA-256 over the bare AAC frame (RFC 3640 3.3.6, AAC-hbr, one frame or a piece of one; RFC 6416 6.1,
         one frame or a piece of one); over the packet's payload (G.711, Opus); over each frame of those in a
         packet (MP3, AC-3), which follow one another in time.
The very first packet of a stream, with which the server prerolls, reaches no client (seen with 1.22:
it is a second copy of the SPS, and the AAC encoder's priming frame), so it is not written.
With --loss packets are lost behind that: the file tells what would have been sent.
With --viewers own each viewer has a stream to itself, and none is written: where viewers share one and two of them say
PLAY at the same moment, GStreamer 1.22 now and then aborts (gst_rtsp_media_get_rates).
pts and dts are nanoseconds of running time, which the RTP timestamps are made of; video and audio
share it. dts may be negative.
"""
import argparse
import ctypes
import hashlib
import itertools
import json
import signal

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PR_SET_PDEATHSIG = 1
ROLE = "viewer"
MEDIA_PER_SEED = 16
NAL_IDR = 5
NAL_FU_A = 28
NAL_LARGEST_SINGLE = 23
H265_RANDOM_ACCESS = range(16, 22)
H265_FU = 49
H265_LARGEST_SINGLE = 47
AU_HEADERS_BYTES = 4  # AU-headers-length, and one header of 13 + 3 bits


class AudioFrames:
    """One frame, or a piece of one, in a packet."""

    kind = "audio"

    def __init__(self):
        self.prerolled = False
        self.frame = b""

    def push(self, marker, payload):
        self.frame += self.strip(payload)
        if not marker:
            return None
        frame, self.frame = self.frame, b""
        return frame, True

    def parts(self, unit):
        """What is written, each with how much later than the packet it is, in ns."""
        return [(0, unit)]

    def strip(self, payload):
        if payload[:2] != b"\x00\x10":
            raise ValueError("rtpmp4gpay puts more than one frame into a packet")
        return payload[AU_HEADERS_BYTES:]


class LatmFrames(AudioFrames):
    def strip(self, payload):
        return payload

    def parts(self, unit):
        element, key = unit
        escapes = len(element) - len(element.lstrip(b"\xff"))
        length = 255 * escapes + element[escapes]
        if length != len(element) - escapes - 1:
            raise ValueError("rtpmp4apay puts more than one frame into an element")
        return [(0, (element[escapes + 1 :], key))]


class PacketFrames(AudioFrames):
    """The payload as it is; the marker means something else."""

    def push(self, marker, payload):
        return payload, True


class FramesOfOneLength(AudioFrames):
    """Whole frames behind a header, as long as they fit into a packet."""

    def __init__(self, header_bytes, frame_bytes, frame_ns):
        super().__init__()
        self.header_bytes = header_bytes
        self.frame_bytes = frame_bytes
        self.frame_ns = frame_ns

    def push(self, marker, payload):
        return payload[self.header_bytes :], True

    def parts(self, unit):
        data, key = unit
        if len(data) % self.frame_bytes:
            raise ValueError(f"{len(data)} bytes are no frames of {self.frame_bytes}")
        for n in range(len(data) // self.frame_bytes):
            yield n * self.frame_ns, (data[n * self.frame_bytes :][: self.frame_bytes], key)


# Noise, because of a tone one packet can be like another. The encoder with its payloader, and how to read it.
NOISE = (
    "audiotestsrc is-live=true wave=pink-noise samplesperbuffer={samples} ! audio/x-raw,rate={rate},channels={channels}"
    " ! audioconvert ! queue ! "
)
OTHER_AUDIO = {
    "pcma": (8000, 1, 160, "alawenc ! rtppcmapay name=pay1 pt=8", PacketFrames),
    "pcmu": (8000, 1, 160, "mulawenc ! rtppcmupay name=pay1 pt=0", PacketFrames),
    "opus": (48000, 2, 960, "opusenc ! rtpopuspay name=pay1 pt=97", PacketFrames),
    "latm": (44100, 2, 1024, "avenc_aac bitrate=64000 ! aacparse ! rtpmp4apay name=pay1 pt=97", LatmFrames),
    # 144 * 128000 / 48000 bytes, 1152 / 48000 s; at a lower rate lame would resample
    "mp3": (
        *(48000, 2, 1152, "lamemp3enc target=bitrate cbr=true bitrate=128 ! mpegaudioparse ! rtpmpapay name=pay1"),
        lambda: FramesOfOneLength(4, 384, 24_000_000),
    ),
    # 96000 / 8 * 1536 / 48000 bytes, 1536 / 48000 s
    "ac3": (
        *(48000, 2, 1536, "avenc_ac3 bitrate=96000 ! ac3parse ! rtpac3pay name=pay1 pt=97"),
        lambda: FramesOfOneLength(2, 384, 32_000_000),
    ),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0: any")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--mount", default="/cam")
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--bitrate", type=int, default=512, help="kbit/s")
    parser.add_argument("--gop", type=int, default=25, help="frames from IDR picture to IDR picture")
    parser.add_argument("--bframes", type=int, default=0)
    parser.add_argument("--video", choices=["h264", "h265"], default="h264")
    parser.add_argument("--audio", choices=["aac", "none", *OTHER_AUDIO], default="aac")
    parser.add_argument("--auth", choices=["digest", "basic", "none"], default="none")
    parser.add_argument("--username", default="admin")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--transports", default="tcp,udp", help="of tcp, udp, multicast, with commas")
    parser.add_argument("--interface", default="lo", help="where multicast goes")
    parser.add_argument("--tls", metavar="FILE", help="PEM, certificate and key: it speaks RTSPS")
    parser.add_argument("--loss", type=float, default=0, help="of the video's packets, in percent")
    parser.add_argument("--viewers", choices=["share", "own"], default="share", help="one stream, or each its own")
    parser.add_argument("--seed", type=int, default=0, help="another one: another picture and tone")
    parser.add_argument("--dump", metavar="FILE")
    return parser.parse_args()


def h264_encoder(args):
    options = f"scenecut=0:bframes={args.bframes}:b-adapt=0:rc-lookahead={args.bframes}"
    tune = " tune=zerolatency" if args.bframes == 0 else ""
    profile = "constrained-baseline" if args.bframes == 0 else "main"
    return (
        "x264enc speed-preset=ultrafast threads=1 sync-lookahead=0 mb-tree=false aud=false"
        f" key-int-max={args.gop} bitrate={args.bitrate} option-string={options}{tune}"
        f" ! video/x-h264,stream-format=byte-stream,alignment=au,profile={profile}"
        " ! rtph264pay name=pay0 pt=96 config-interval=0 aggregate-mode=none"
    )


def h265_encoder(args):
    lookahead = args.bframes + 1 if args.bframes else 0  # x265 refuses fewer
    options = (
        f"scenecut=0:bframes={args.bframes}:b-adapt=0:rc-lookahead={lookahead}:b-pyramid=1:open-gop=1"
        f":min-keyint={args.gop}:repeat-headers=1:aud=0:pools=none:frame-threads=1:log-level=none"
    )
    tune = " tune=zerolatency" if args.bframes == 0 else ""
    return (
        f"x265enc speed-preset=ultrafast key-int-max={args.gop} bitrate={args.bitrate}"
        f" option-string={options}{tune}"
        " ! video/x-h265,stream-format=byte-stream,alignment=au,profile=main"
        " ! rtph265pay name=pay0 pt=96 config-interval=0 aggregate-mode=none"
    )


def launch_line(args):
    """One thread and no look-ahead beyond the B-frames: the same stream each time, and soon."""
    encoder = h265_encoder(args) if args.video == "h265" else h264_encoder(args)
    if args.loss:
        # The server takes what is called pay0 for the payloader; this one takes lists of packets apart.
        encoder = encoder.replace("name=pay0", "name=whole0")
        encoder += f" ! identity name=pay0 drop-probability={args.loss / 100}"
    video = (
        f"videotestsrc name=picture is-live=true pattern=ball ! video/x-raw,format=I420,width={args.width},"
        f"height={args.height},framerate={args.fps}/1 ! queue ! {encoder}"
    )
    if args.audio == "none":
        return f"( {video} )"
    if args.audio in OTHER_AUDIO:
        rate, channels, samples, encoder, _ = OTHER_AUDIO[args.audio]
        noise = NOISE.format(rate=rate, channels=channels, samples=samples)
        return f"( {video} {noise} {encoder} )"
    audio = (
        "audiotestsrc name=tone is-live=true wave=sine ! audio/x-raw,rate=48000,channels=2 ! audioconvert"
        " ! queue ! avenc_aac bitrate=64000 ! aacparse ! rtpmp4gpay name=pay1 pt=97"
    )
    return f"( {video} {audio} )"


def vary(element, seed):
    """Each stream has bytes of its own, so that a dump tells which one somebody saw."""
    colour = seed * 0x070503 % 0x1000000
    element.get_by_name("picture").set_property("background-color", 0xFF000000 | colour)
    tone = element.get_by_name("tone")
    if tone:
        tone.set_property("freq", 300 + seed * 7 % 3000)


def parse_rtp(packet):
    """RFC 3550 5.1: marker and payload."""
    offset = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        offset += 4 + 4 * int.from_bytes(packet[offset + 2 : offset + 4], "big")
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    return bool(packet[1] & 0x80), packet[offset:end]


class VideoUnits:
    kind = "video"

    def __init__(self, codec):
        self.prerolled = False
        self.codec = codec
        self.nal_units = []

    def push(self, marker, payload):
        """The access unit's bytes and whether decoding may start with it, after its last packet."""
        if self.codec == "h265":
            self.push_h265(payload)
        else:
            self.push_h264(payload)
        if not marker:
            return None
        units, self.nal_units = self.nal_units, []
        data = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
        return data, any(self.is_random_access(unit) for unit in units)

    def push_h264(self, payload):
        nal_type = payload[0] & 0x1F
        if nal_type == NAL_FU_A:
            header = payload[1]
            if header & 0x80:
                self.nal_units.append(bytearray([(payload[0] & 0xE0) | (header & 0x1F)]))
            self.nal_units[-1] += payload[2:]
        elif nal_type <= NAL_LARGEST_SINGLE:
            self.nal_units.append(bytearray(payload))
        else:
            raise ValueError(f"rtph264pay sends packets of type {nal_type}")

    def push_h265(self, payload):
        nal_type = payload[0] >> 1 & 0x3F
        if nal_type == H265_FU:
            header = payload[2]
            if header & 0x80:
                self.nal_units.append(bytearray([(payload[0] & 0x81) | (header & 0x3F) << 1, payload[1]]))
            self.nal_units[-1] += payload[3:]
        elif nal_type <= H265_LARGEST_SINGLE:
            self.nal_units.append(bytearray(payload))
        else:
            raise ValueError(f"rtph265pay sends packets of type {nal_type}")

    def is_random_access(self, unit):
        if self.codec == "h265":
            return unit[0] >> 1 & 0x3F in H265_RANDOM_ACCESS
        return unit[0] & 0x1F == NAL_IDR


class Dump:
    """When all clients went and one comes back there is a new stream; the file goes on with it."""

    def __init__(self, path):
        self.file = open(path, "w", buffering=1, encoding="ascii")

    def watch(self, payloader, units):
        pad = payloader.get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, self.probe, units)

    def probe(self, pad, info, units):
        if info.type & Gst.PadProbeType.BUFFER_LIST:
            packets = info.get_buffer_list()
            buffers = [packets.get(index) for index in range(packets.length())]
        else:
            buffers = [info.get_buffer()]
        segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
        for buffer in buffers:
            # A copy: a mapping that Python drops late would keep the buffer from being writable.
            packet = buffer.extract_dup(0, buffer.get_size())
            if not units.prerolled:
                units.prerolled = True
                continue
            unit = units.push(*parse_rtp(packet))
            if unit is None:
                continue
            for later, part in units.parts(unit) if units.kind == "audio" else [(0, unit)]:
                self.write(units.kind, part, segment, buffer, later)
        return Gst.PadProbeReturn.OK

    def write(self, kind, unit, segment, buffer, later):
        data, key = unit
        line = {
            "kind": kind,
            "pts": running_time(segment, buffer.pts + later),
            "dts": running_time(segment, buffer.dts if kind == "video" else buffer.pts + later),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "key": key,
        }
        self.file.write(json.dumps(line) + "\n")


def running_time(segment, time):
    """x264enc moves its times by 1000 hours and says so in the segment."""
    if time == Gst.CLOCK_TIME_NONE:
        return None
    sign, value = segment.to_running_time_full(Gst.Format.TIME, time)
    return sign * value


def protect(server, factory, args):
    auth = GstRtspServer.RTSPAuth.new()
    token = GstRtspServer.RTSPToken.new()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
    if args.auth == "none":
        auth.set_default_token(token)
    elif args.auth == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(args.username, args.password, token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(args.username, args.password), token)
    if args.tls:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(args.tls))
    server.set_auth(auth)
    role = Gst.Structure.new_empty(ROLE)
    role.set_value(GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
    role.set_value(GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
    factory.add_role_from_structure(role)


def protocols(names):
    known = {
        "tcp": GstRtsp.RTSPLowerTrans.TCP,
        "udp": GstRtsp.RTSPLowerTrans.UDP,
        "multicast": GstRtsp.RTSPLowerTrans.UDP_MCAST,
    }
    chosen = GstRtsp.RTSPLowerTrans(0)
    for name in names.split(","):
        chosen |= known[name]
    return chosen


def send_to_groups(factory, interface):
    """Needs a machine of its own: the server holds the groups' ports for itself."""
    pool = GstRtspServer.RTSPAddressPool.new()
    pool.add_range("239.255.79.1", "239.255.79.9", 5000, 5009, 1)
    factory.set_address_pool(pool)
    factory.set_multicast_iface(interface)


def report_capture_time(media):
    """Else its sender reports tell when packets are sent: on a busy machine lips and voice go apart by what an encoder lags."""
    pipeline = media.get_element().get_parent()
    for index in range(pipeline.get_children_count()):
        element = pipeline.get_child_by_index(index)
        if element.find_property("rtcp-sync-send-time"):
            element.set_property("rtcp-sync-send-time", False)


def main():
    args = arguments()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(launch_line(args))
    factory.set_shared(args.viewers == "share")
    factory.set_protocols(protocols(args.transports))
    if "multicast" in args.transports:
        send_to_groups(factory, args.interface)
    dump = Dump(args.dump) if args.dump and args.viewers == "share" else None
    seeds = itertools.count(args.seed * MEDIA_PER_SEED)

    def configure(_factory, media):
        media.connect("prepared", report_capture_time)
        element = media.get_element()
        vary(element, next(seeds))
        if dump:
            whole = element.get_by_name("whole0") or element.get_by_name("pay0")
            dump.watch(whole, VideoUnits(args.video))
        if dump and args.audio != "none":
            frames = OTHER_AUDIO[args.audio][-1] if args.audio in OTHER_AUDIO else AudioFrames
            dump.watch(element.get_by_name("pay1"), frames())

    factory.connect("media-configure", configure)
    server = GstRtspServer.RTSPServer.new()
    server.set_address(args.address)
    server.set_service(str(args.port))
    server.get_mount_points().add_factory(args.mount, factory)
    if args.auth != "none" or args.tls:
        protect(server, factory, args)
    loop = GLib.MainLoop()

    def terminate():
        server.get_session_pool().filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
        server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
        GLib.idle_add(loop.quit)
        return GLib.SOURCE_CONTINUE  # a second signal must not find the default action

    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, terminate)
    if server.attach(None) == 0:
        raise SystemExit(f"cannot listen on 127.0.0.1:{args.port}")
    print(f"READY {server.get_bound_port()}", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
