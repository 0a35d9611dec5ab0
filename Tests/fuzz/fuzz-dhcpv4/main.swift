// SPDX-License-Identifier: Apache-2.0
// Fuzzes the DHCPv4 codec and the headers in front of it: whatever decodes must survive being encoded and decoded again.

import BNGCore
import DHCPv4
import Ethernet
import Foundation
import FuzzDriver

/// As a frame, and as the message alone.
let target: FuzzTarget = { bytes, count in
    let data = input(bytes, count)
    if let header = try? EthernetHeader(decoding: data.span),
        let datagram = try? UDPDatagram(decoding: data.span, at: header.length)
    {
        recode(Array(data[datagram.payload]))
    }
    recode(data)
    return 0
}

func recode(_ bytes: [UInt8]) {
    guard let message = try? DHCPv4Codec.decode(bytes.span) else { return }
    let again = DHCPv4Codec.encode(message)
    guard let second = try? DHCPv4Codec.decode(again.span) else {
        preconditionFailure("an encoded message does not decode")
    }
    precondition(DHCPv4Codec.encode(second) == again, "encoding is not stable")
}

exit(fuzz(target))
