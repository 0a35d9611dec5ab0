// SPDX-License-Identifier: Apache-2.0
// Fuzzes the DHCPv4 codec and the headers in front of it: whatever decodes must survive being encoded and decoded again.

import BNGCore
import DHCPv4
import Ethernet
import Foundation
import FuzzDriver

let target: FuzzTarget = { bytes, count in
    let data = input(bytes, count)
    if let header = try? EthernetHeader(decoding: data.span) {
        _ = try? UDPDatagram(decoding: data.span, at: header.length)
    }
    guard let message = try? DHCPv4Codec.decode(data.span) else { return 0 }
    let again = DHCPv4Codec.encode(message)
    guard let second = try? DHCPv4Codec.decode(again.span) else {
        preconditionFailure("an encoded message does not decode")
    }
    precondition(DHCPv4Codec.encode(second) == again, "encoding is not stable")
    return 0
}

exit(fuzz(target))
