// SPDX-License-Identifier: Apache-2.0
// Byte arrays as BLOBs.

import Foundation
import GRDB

extension [UInt8] {
    var blob: Data { Data(self) }

    init(blob: Data) { self.init(blob) }
}
